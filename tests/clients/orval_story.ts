/** The publishing story, told by the client that orval generates. */

import { equal, image, password } from "./check.js";
import * as quire from "./orval-client.js";
import { signIn } from "./orval_fetch.js";

/** The data of an answer, which has to have this status. */
function got<A extends { status: number; data: unknown }, S extends A["status"]>(
  answer: A,
  status: S,
): Extract<A, { status: S }>["data"] {
  if (answer.status !== status) throw new Error(JSON.stringify(answer));
  return answer.data;
}

const tokens = got(await quire.signIn({ email: "ann@example.org", password }), 200);
equal(tokens.user.username, "ann");
signIn(tokens.access_token);
const start = got(await quire.getChanges(), 200).next;

got(await quire.createTag({ name: "python" }), 201);
const upload = await quire.createMedia({ file: image(), alt: "A dot" }, { name: "photo.png" });
const cover = got(upload, 201).id;
const made = await quire.createPost({ title: "Typed", body: "*Hi*", tags: ["python"], cover });
const draft = got(made, 201);
equal([draft.status, draft.tags.map((one) => one.name)], ["draft", ["python"]]);
const post = got(await quire.publishPost(draft.id), 200);

signIn("");
const listed = await quire.listPosts({
  status: "published",
  "tags.name__in": ["python", "none"],
  sort: ["title", "id"],
  include: ["author", "comments"],
});
equal(
  got(listed, 200).posts.map((one) => [one.id, one.author.username, one.comments]),
  [[post.id, "ann", []]],
);
const read = await quire.getPostBySlug("typed");
equal(got(read, 200).cover?.id, cover);

signIn(tokens.access_token);
const condition = { headers: { "If-Match": read.headers.get("ETag") ?? "" } };
const changed = got(await quire.changePost(post.id, { title: "Typed twice" }, condition), 200);
equal(changed.title, "Typed twice");
const stale = got(await quire.changePost(post.id, { title: "Typed late" }, condition), 412);
equal([stale.current_version, stale.changed_fields], [changed.version, ["title"]]);

const comment = got(await quire.createPostComment(post.id, { body: "Well said." }), 201);
equal(comment.post.id, post.id);
const operations = [{ op: "create" as const, data: { title: "Bulk", body: "x" } }];
const bulk = got(await quire.bulkPosts({ operations }), 200);
const [row] = bulk.results;
if (!row || "error" in row) throw new Error(JSON.stringify(row));
equal([bulk.succeeded, row.record?.title], [1, "Bulk"]);

const feed = got(await quire.getChanges({ since: start }), 200).changes;
const titles = feed.flatMap((one) => (one.type === "posts" ? [one.record?.title] : []));
equal(titles, ["Typed twice", "Bulk"]);
got(await quire.deletePost(post.id, {}), 204);
signIn("");
equal(got(await quire.getPostBySlug("typed"), 404).code, "not_found");
signIn(tokens.access_token);
const refused = await quire.createPost({ title: "x".repeat(201), body: "y" });
equal(got(refused, 422).details.map((one) => [one.field, one.code]), [["title", "too_long"]]);
