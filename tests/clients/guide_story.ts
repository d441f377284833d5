/** The TypeScript example of docs/clients.md publishes posts, against a server that is busy at first; the second
 * argument is an API key. */

import { equal, origin, password as key } from "./check.js";
import { connect, Refused } from "./guide.js";

const answered = globalThis.fetch;
const keys = new Set<string | null>();
let failures = 2;
globalThis.fetch = async (request, options) => {
  if (request instanceof Request && request.method === "POST" && failures > 0) {
    keys.add(request.headers.get("Idempotency-Key"));
    await answered(request, options); // it arrives, and its answer is lost
    failures -= 1;
    if (failures === 0) return new Response(null, { status: 503, headers: { "Retry-After": "0" } });
    throw new TypeError("fetch failed");
  }
  return answered(request, options);
};

const client = connect(`${origin}/api/v1`, key);
const first = await client.publish("From TypeScript", "Hello.", ["news"]);
equal([first.slug, first.status, keys.size, failures], ["from-typescript", "published", 1, 0]);
await client.publish("Again", "Hello.", ["news"]);

const titles: string[] = [];
for await (const post of client.tagged("news")) titles.push(post.title);
equal(titles.sort(), ["Again", "From TypeScript"]);

const etag = await client.etag(first.id);
equal((await client.rename(first.id, "Edited", etag)).title, "Edited");

async function refusal(call: Promise<unknown>): Promise<(string | undefined)[]> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Refused) return [error.code, ...error.details.map((one) => one.field)];
    throw error;
  }
  return [];
}

equal(await refusal(client.rename(first.id, "Too late", etag)), ["version_conflict"]);
equal(await refusal(client.publish("", "Hello.", ["news"])), ["validation_failed", "title"]);
