// When a deleted object counts as gone: what a watch's end proves, and what it does not.
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { ConfigMaps } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { anApiServer, type ClientServer } from '../../test/support/client-server.ts';
import { deletedUid, LOOK_AGAIN_MS, untilGone } from './deletion-wait.ts';

const ref = { namespace: 'default', name: 'a' };
let server: ClientServer;
let configs: ResourceClient<KubeObject>;
const make = (finalizers: string[]) =>
  configs.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref, finalizers } });
const letGo = () => configs.patch(ref, { type: 'merge', body: { metadata: { finalizers: null } } });

beforeEach(async () => {
  server = await anApiServer();
  configs = createClient(server.transport).resource(ConfigMaps) as ResourceClient<KubeObject>;
});
afterEach(() => server.close());

describe('waiting for a deletion', () => {
  it('looks again when the watch ends, and waits on while the object is there', async () => {
    const clock = new VirtualClock();
    await make(['test/keep']);
    const uid = deletedUid(await configs.delete(ref));
    let lists = 0;
    const client = {
      ...configs,
      list: (options: object) => (lists++, configs.list(options)),
      watch: async function* () {},
    } as unknown as ResourceClient<KubeObject>;
    let gone = false;
    const wait = untilGone({ client, ref, uid }, { clock }).then(() => (gone = true));
    while (lists < 3) {
      await setImmediate();
      await clock.advance(LOOK_AGAIN_MS);
    }
    expect(gone).toBe(false);
    await letGo();
    while (!gone) {
      await setImmediate();
      await clock.advance(LOOK_AGAIN_MS);
    }
    await wait;
  });

  it('is over when another object has taken the name', async () => {
    const clock = new VirtualClock();
    await make([]);
    const uid = deletedUid(await configs.delete(ref));
    expect(uid).toMatch(/./);
    await make(['test/keep']);
    await untilGone({ client: configs, ref, uid }, { clock });
  });

  it('ends when its time is over', async () => {
    const clock = new VirtualClock();
    const ending = new AbortController();
    await make(['test/keep']);
    const uid = deletedUid(await configs.delete(ref));
    const wait = untilGone({ client: configs, ref, uid }, { clock, signal: ending.signal });
    ending.abort(new Error('over'));
    await expect(wait).rejects.toThrow('over');
  });
});
