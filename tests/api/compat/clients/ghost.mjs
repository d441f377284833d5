// What sites do that are generated from a Ghost, by Ghost's own client.
import GhostContentAPI from '@tryghost/content-api';

const { URL_OF_SITE, KEY, POST } = process.env;
const connect = (key) => new GhostContentAPI({ url: URL_OF_SITE, key, version: 'v6.0' });
const api = connect(KEY);
const slugs = (rows) => rows.map((one) => one.slug);
const failed = (promise) => promise.then(() => null, ({ name, message }) => ({ name, message }));

const posts = await api.posts.browse({ include: ['tags', 'authors'], formats: ['html', 'plaintext'] });
const said = { slugs: slugs(posts), pagination: posts.meta.pagination, post: posts[0] };
const second = await api.posts.browse({ limit: 1, page: 2 });
said.second = [slugs(second), second.meta.pagination];
said.all = slugs(await api.posts.browse({ limit: 'all', order: 'title ASC', fields: 'slug,title' }));
said.filtered = slugs(await api.posts.browse({ filter: 'tag:sea+author:ann' }));
said.others = slugs(await api.posts.browse({ filter: `id:-${POST}` }));
said.byId = (await api.posts.read({ id: POST })).title;
said.bySlug = (await api.posts.read({ slug: 'live' }, { include: 'tags' })).primary_tag.name;
said.pages = slugs(await api.pages.browse());
said.page = (await api.pages.read({ slug: 'about' })).html;
said.tags = (await api.tags.browse({ limit: 'all', include: 'count.posts' })).map(
  ({ slug, count }) => [slug, count.posts],
);
said.tag = (await api.tags.read({ slug: 'sea' })).name;
said.authors = slugs(await api.authors.browse());
said.author = await api.authors.read({ slug: 'ann' }, { include: 'count.posts' });
said.settings = await api.settings.browse();
said.missing = await failed(api.posts.read({ slug: 'nothing' }));
said.unknown = await failed(connect('0123456789abcdef0123456789').posts.browse());
said.wrong = await failed(api.posts.browse({ filter: 'boats:1' }));
console.log(JSON.stringify(said));
