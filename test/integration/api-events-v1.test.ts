// events.k8s.io/v1 beside core/v1: one stored event, two ways of writing it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const CORE = '/api/v1/namespaces/default/events';
const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const OBJECT = { kind: 'Pod', namespace: 'default', name: 'web' };

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api.close());

const anEvent = (name: string, more: object = {}) => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name },
  eventTime: '2026-01-02T03:04:05.000000Z',
  reportingController: 'example.com/tester',
  reportingInstance: 'tester-1',
  action: 'Testing',
  reason: 'Tested',
  type: 'Normal',
  regarding: OBJECT,
  note: 'all is well',
  ...more,
});

describe('an event of events.k8s.io/v1', () => {
  it('is one of core/v1 as well', async () => {
    expect((await api.call('POST', EVENTS, { body: anEvent('one') })).status).toBe(201);
    const stored = (await api.call('GET', `${CORE}/one`)).json;
    expect(stored).toMatchObject({
      apiVersion: 'v1',
      involvedObject: OBJECT,
      message: 'all is well',
      reportingComponent: 'example.com/tester',
    });
    const shown = (await api.call('GET', `${EVENTS}/one`)).json;
    expect(shown).toMatchObject(anEvent('one'));
    expect(shown).not.toHaveProperty('involvedObject');
    expect(shown.metadata.resourceVersion).toBe(stored.metadata.resourceVersion);
  });

  it('is what an event written by core/v1 is read as', async () => {
    const body = {
      metadata: { name: 'two' },
      involvedObject: OBJECT,
      message: 'old style',
      reason: 'Old',
      type: 'Warning',
      count: 3,
      source: { component: 'kubelet' },
      firstTimestamp: '2026-01-02T03:04:05Z',
    };
    expect((await api.call('POST', CORE, { body })).status).toBe(201);
    const list = (await api.call('GET', EVENTS)).json;
    expect(list).toMatchObject({ kind: 'EventList', apiVersion: 'events.k8s.io/v1' });
    expect(list.items.find(({ metadata }) => metadata.name === 'two')).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      note: 'old style',
      regarding: OBJECT,
      deprecatedCount: 3,
      deprecatedSource: { component: 'kubelet' },
      deprecatedFirstTimestamp: '2026-01-02T03:04:05Z',
    });
  });

  it('is chosen by its own names of fields', async () => {
    const select = async (path: string, selector: string) =>
      (await api.call('GET', `${path}?fieldSelector=${selector}`)).json;
    const names = async (selector: string) =>
      (await select(EVENTS, selector)).items.map(({ metadata }) => metadata.name);
    expect(await names('regarding.name=web,type=Warning')).toEqual(['two']);
    expect(await names('reportingController=example.com/tester')).toEqual(['one']);
    expect((await select(EVENTS, 'involvedObject.name=web')).reason).toBe('BadRequest');
    expect((await select(CORE, 'regarding.name=web')).reason).toBe('BadRequest');
  });

  it('has the columns of core/v1', async () => {
    const table = (await api.call('GET', `${EVENTS}/one`, { accept: TABLE })).json as unknown as {
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[] }[];
    };
    expect(table.columnDefinitions.map(({ name }) => name).slice(0, 4)).toEqual([
      'Last Seen',
      'Type',
      'Reason',
      'Object',
    ]);
    expect(table.rows[0]?.cells.slice(1, 4)).toEqual(['Normal', 'Tested', 'pod/web']);
  });

  it('is watched in its own form, and patched in it', async () => {
    const watch = await api.watch(`${EVENTS}?fieldSelector=metadata.name=one`);
    const first = await watch.next();
    expect(first?.object).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'all is well' });
    const series = { count: 2, lastObservedTime: '2026-01-02T03:05:05.000000Z' };
    const patched = await api.call('PATCH', `${EVENTS}/one`, {
      body: { series },
      type: 'application/merge-patch+json',
    });
    expect(patched.json).toMatchObject({ apiVersion: 'events.k8s.io/v1', series });
    expect((await watch.next())?.object).toMatchObject({ series });
    watch.stop();
  });

  it.each<[string, object, string[]]>([
    ['no time', { eventTime: null }, ['eventTime']],
    ['an odd type', { type: 'Bad' }, ['type']],
    ['nobody who reports it', { reportingController: '' }, ['reportingController']],
    ['a reporter of no name', { reportingController: 'a/b/c' }, ['reportingController']],
    ['no instance', { reportingInstance: '' }, ['reportingInstance']],
    ['no action', { action: '' }, ['action']],
    ['a long action', { action: 'x'.repeat(129) }, ['action']],
    ['no reason', { reason: '' }, ['reason']],
    ['a long note', { note: 'x'.repeat(1025) }, ['message']],
    ['a count of the old style', { deprecatedCount: 1 }, ['count']],
    ['a source of the old style', { deprecatedSource: { component: 'x' } }, ['source']],
    ['an object elsewhere', { regarding: { namespace: 'x' } }, ['involvedObject.namespace']],
  ])('is refused with %s', async (...[, more, fields]) => {
    const { json, status } = await api.call('POST', EVENTS, { body: anEvent('bad', more) });
    expect(status).toBe(422);
    const { causes } = json['details'] as { causes: { field: string }[] };
    expect(causes.map(({ field }) => field)).toEqual(fields);
  });

  it('keeps all but its series', async () => {
    const { json, status } = await api.call('PUT', `${EVENTS}/one`, {
      body: anEvent('one', { note: 'changed', reportingController: 'example.com/other' }),
    });
    expect(status).toBe(422);
    expect(json.message).toMatch(/message: Invalid value: "changed": field is immutable/);
    expect(json.message).toMatch(/reportingController: Invalid value/);
  });

  it('deleted in one form is gone in both', async () => {
    expect((await api.call('DELETE', `${EVENTS}/one`)).status).toBe(200);
    expect((await api.call('GET', `${CORE}/one`)).status).toBe(404);
  });
});
