// What react-admin does with a list, a form and a selection, by its own data provider.
import jsonServerProvider from 'ra-data-json-server';
import { fetchUtils } from 'ra-core';

const { URL_OF_API, TOKEN, POST } = process.env;
const provider = jsonServerProvider(URL_OF_API, (url, options = {}) => {
  const user = { authenticated: true, token: `Bearer ${TOKEN}` };
  return fetchUtils.fetchJson(url, { ...options, user });
});
const page = (number, perPage = 2) => ({ page: number, perPage });
const byTitle = { field: 'title', order: 'ASC' };
const titles = (found) => found.data.map((one) => one.title);
const list = (more) =>
  provider.getList('posts', { pagination: page(1), sort: byTitle, filter: {}, ...more });
const failed = (promise) => promise.then(() => null, ({ status, message }) => ({ status, message }));

const said = {};
const first = await list();
said.first = [titles(first), first.total];
said.second = titles(await list({ pagination: page(2) }));
said.descending = titles(await list({ sort: { field: 'title', order: 'DESC' } }));
said.filtered = titles(await list({ filter: { author: { username: 'abe' } } }));
said.found = titles(await list({ filter: { q: 'archived' } }));
said.exported = (await list({ pagination: page(1, 1000) })).data.length;
said.references = titles(
  await provider.getManyReference('posts', {
    target: 'author', id: first.data[0].author.id, pagination: page(1), sort: byTitle, filter: {},
  }),
);

const created = await provider.create('posts', { data: { title: 'New', body: 'Text.' } });
const read = (await provider.getOne('posts', { id: created.data.id })).data;
said.created = read.title;
const form = { ...read, title: 'Changed' };
const updated = await provider.update('posts', { id: read.id, data: form, previousData: read });
said.updated = [updated.data.title, updated.data.version];
said.stale = await failed(
  provider.update('posts', { id: read.id, data: { ...form, title: 'Late' }, previousData: read }),
);
const other = (await provider.create('posts', { data: { title: 'Other', body: 'Text.' } })).data;
const ids = [read.id, other.id];
said.updatedMany = (await provider.updateMany('posts', { ids, data: { excerpt: 'Both' } })).data;
const both = (await provider.getMany('posts', { ids })).data;
said.many = both.map(({ id, title, excerpt }) => [id, title, excerpt]).sort();
said.deleted = (await provider.delete('posts', { id: read.id, previousData: read })).data;
said.deletedMany = (await provider.deleteMany('posts', { ids: [other.id, Number(POST)] })).data;
said.gone = await failed(provider.getOne('posts', { id: 4711 }));
said.invalid = await failed(provider.create('posts', { data: { title: '' } }));
said.ids = ids;
console.log(JSON.stringify(said));
