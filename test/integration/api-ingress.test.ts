// Ingresses at the server: the default class, status apart from spec, generation.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const GROUP = '/apis/networking.k8s.io/v1';
const INGRESSES = `${GROUP}/namespaces/default/ingresses`;
const defaultBackend = { service: { name: 'web', port: { number: 80 } } };

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api.close());

const anIngress = (name: string, more: object = {}, annotations = {}) => ({
  body: { metadata: { name, annotations }, spec: { defaultBackend, ...more } },
});
const made = async (...parts: Parameters<typeof anIngress>) =>
  (await api.call('POST', INGRESSES, anIngress(...parts))).json;

it('an ingress that names no class gets the default one', async () => {
  expect((await made('before')).spec).not.toHaveProperty('ingressClassName');
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  for (const name of ['usual', 'also'])
    await api.call('POST', `${GROUP}/ingressclasses`, {
      body: { metadata: { name, annotations }, spec: { controller: 'a.io/b' } },
    });
  expect((await made('after')).spec).toMatchObject({ ingressClassName: 'also' });
  expect((await made('own', { ingressClassName: 'own' })).spec).toMatchObject({
    ingressClassName: 'own',
  });
  const old = await made('old', {}, { 'kubernetes.io/ingress.class': 'nginx' });
  expect(old.spec).not.toHaveProperty('ingressClassName');
});

it('its status is written apart from its spec, and is no new generation', async () => {
  const status = { loadBalancer: { ingress: [{ ip: '10.0.0.5' }] } };
  const type = 'application/merge-patch+json';
  const one = `${INGRESSES}/before`;
  const beside = await api.call('PATCH', one, { body: { status }, type });
  expect(beside.json.status).toEqual({ loadBalancer: {} });
  const written = await api.call('PATCH', `${one}/status`, { body: { status }, type });
  expect([written.json.status, written.json.metadata.generation]).toEqual([status, 1]);
  const spec = { ingressClassName: 'x' };
  const changed = await api.call('PATCH', one, { body: { spec }, type });
  expect([changed.json.status, changed.json.metadata.generation]).toEqual([status, 2]);
});
