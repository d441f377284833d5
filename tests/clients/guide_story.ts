/** The TypeScript example of docs/clients.md publishes a post; the second argument is an API key. */

import { equal, origin, password as key } from "./check.js";
import { publish } from "./guide.js";

equal(await publish(`${origin}/api/v1`, key, "From TypeScript"), "from-typescript");
