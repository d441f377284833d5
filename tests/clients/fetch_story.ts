/** The publishing story, told by openapi-fetch with the types of openapi-typescript. */

import createClient from "openapi-fetch";

import { equal, image, origin, password } from "./check.js";
import type { paths } from "./schema.js";

const baseUrl = `${origin}/api/v1`;
const reader = createClient<paths>({ baseUrl });

/** The data of an answer, which has to be a good one. */
function got<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const credentials = { email: "ann@example.org", password };
const tokens = got(await reader.POST("/auth/token", { body: credentials }));
equal(tokens.user.username, "ann");
const headers = { Authorization: `Bearer ${tokens.access_token}` };
const ann = createClient<paths>({ baseUrl, headers });
const start = got(await ann.GET("/changes")).next;

got(await ann.POST("/tags", { body: { name: "python" } }));
const upload = await ann.POST("/media", {
  body: { file: "photo.png", alt: "A dot" },
  bodySerializer: ({ alt }) => {
    const form = new FormData();
    form.set("file", image(), "photo.png");
    form.set("alt", alt ?? "");
    return form;
  },
});
const cover = got(upload).id;
const draft = got(
  await ann.POST("/posts", { body: { title: "Typed", body: "*Hi*", tags: ["python"], cover } }),
);
equal([draft.status, draft.tags.map((one) => one.name)], ["draft", ["python"]]);
const path = { id: draft.id };
const post = got(await ann.POST("/posts/{id}/publish", { params: { path } }));

const query = {
  status: "published",
  "tags.name__in": ["python", "none"],
  sort: ["title", "id"],
  include: ["author", "comments"],
} as const;
const listed = got(
  await reader.GET("/posts", {
    params: {
      query: {
        ...query,
        "tags.name__in": [...query["tags.name__in"]],
        sort: [...query.sort],
        include: [...query.include],
      },
    },
  }),
);
equal(
  listed.posts.map((one) => [one.id, one.author.username, one.comments]),
  [[post.id, "ann", []]],
);
const bySlug = { params: { path: { slug: "typed" } } };
const read = await reader.GET("/posts/by-slug/{slug}", bySlug);
equal(got(read).cover?.id, cover);

const etag = read.response.headers.get("ETag") ?? "";
const change = { params: { path, header: { "If-Match": etag } }, body: { title: "Typed twice" } };
const changed = got(await ann.PATCH("/posts/{id}", change));
equal(changed.title, "Typed twice");
const late = await ann.PATCH("/posts/{id}", change);
if (!late.error || !("changed_fields" in late.error)) throw new Error("not stale");
equal([late.error.current_version, late.error.changed_fields], [changed.version, ["title"]]);

const comment = got(
  await ann.POST("/posts/{id}/comments", { params: { path }, body: { body: "Well said." } }),
);
equal(comment.post.id, post.id);
const bulk = got(
  await ann.POST("/posts/bulk", {
    body: { operations: [{ op: "create", data: { title: "Bulk", body: "x" } }] },
  }),
);
const [row] = bulk.results;
if (!row || "error" in row) throw new Error(JSON.stringify(row));
equal([bulk.succeeded, row.record?.title], [1, "Bulk"]);

const feed = got(await ann.GET("/changes", { params: { query: { since: start } } })).changes;
const titles = feed.flatMap((one) => (one.type === "posts" ? [one.record?.title] : []));
equal(titles, ["Typed twice", "Bulk"]);
equal((await ann.DELETE("/posts/{id}", { params: { path } })).response.status, 204);
equal((await reader.GET("/posts/by-slug/{slug}", bySlug)).error?.code, "not_found");
const refused = await ann.POST("/posts", { body: { title: "x".repeat(201), body: "y" } });
equal(refused.error?.details.map((one) => [one.field, one.code]), [["title", "too_long"]]);
