// The view of a runtime and what keeps it up to date, against a scripted connection on virtual time.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import type { RuntimeEvent } from '../runtime.ts';
import { GrpcError, type GrpcConnection, type Verb } from './grpc.ts';
import { LifecycleEvents, RELIST_PERIOD_MS } from './lifecycle-events.ts';
import { endedBySignal } from './own-signal.ts';
import { PodFiles } from './pod-files.ts';
import { OWNER_LABEL, POD_LABELS } from './sandbox-message.ts';
import { CONTAINERD_EVENTS, RUNTIME } from './services.ts';
import { type KnownContainer, RuntimeView } from './view.ts';

const STATES = { created: 0, running: 1, exited: 2 } as const;
type State = keyof typeof STATES;

/** A runtime that has what the test gives it. Calls are counted by method. */
class ScriptedRuntime {
  readonly containers = new Map<string, State>();
  /** Why they ended, by id. */
  readonly reasons = new Map<string, string>();
  readonly calls: string[] = [];
  /** What calls fail with. */
  down: GrpcError | undefined;
  /** Held back until it resolves, by method. */
  readonly slow = new Map<string, Promise<void>>();
  /** Which stream of news it has. */
  news: 'cri' | 'containerd' | 'none' = 'none';
  #tell: ((event: unknown) => void) | undefined;

  readonly connection: GrpcConnection = {
    call: async <Request, Response>(verb: Verb<Request, Response>, request: Partial<Request>) => {
      const method = verb.path.split('/').at(-1) ?? '';
      this.calls.push(method);
      const answer = this.#answer(method, request as { id?: string });
      await this.slow.get(method);
      if (this.down) throw this.down;
      if (answer === undefined) throw new GrpcError('NOT_FOUND', 'not found');
      return answer as Response;
    },
    stream: (verb, _, signal) => this.#stream(verb.path, signal) as never,
    close: () => undefined,
  };

  /** As soon as somebody listens. */
  tell(event: unknown): void {
    this.#tell?.(event);
  }

  #answer(method: string, { id = '' }: { id?: string }): unknown {
    if (method === 'ListPodSandbox') return { items: [] };
    if (method === 'ListContainers')
      return {
        containers: Array.from(this.containers, ([name, state]) => ({
          id: name,
          sandboxId: 's',
          state: STATES[state],
        })),
      };
    const state = this.containers.get(id);
    return (
      state && {
        status: {
          id,
          state: STATES[state],
          reason: this.reasons.get(id),
          metadata: { name: 'main', attempt: 0 },
          labels: { [POD_LABELS.uid]: 'pod' },
        },
        info: { info: '{"pid":7}' },
      }
    );
  }

  async *#stream(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
    const own = { cri: RUNTIME.getContainerEvents.path, containerd: CONTAINERD_EVENTS.path };
    if (this.news === 'none' || own[this.news] !== path)
      throw new GrpcError('UNIMPLEMENTED', 'unknown method');
    const events: unknown[] = [];
    let wake: () => void = () => undefined;
    this.#tell = (event) => {
      events.push(event);
      wake();
    };
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      if (this.down) throw this.down;
      yield* events.splice(0);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
}

describe('the view of a runtime', () => {
  let clock: VirtualClock;
  let runtime: ScriptedRuntime;
  let view: RuntimeView;
  let files: PodFiles;
  let folder: string;
  let told: RuntimeEvent[];
  const ending = { control: new AbortController() };
  beforeEach(() => {
    clock = new VirtualClock();
    runtime = new ScriptedRuntime();
    folder = mkdtempSync(join(tmpdir(), 'pinnace-view-'));
    files = new PodFiles(folder);
    told = [];
    ending.control = new AbortController();
    const connection = () => runtime.connection;
    const emit = (event: RuntimeEvent) => void told.push(event);
    view = new RuntimeView({ connection, files, owner: 'me', clock, emit });
  });
  afterEach(async () => {
    ending.control.abort();
    await clock.advance(0);
    rmSync(folder, { recursive: true, force: true });
  });

  const follow = () => {
    const connection = () => runtime.connection;
    const doors = { connection, view, clock, logger: silentLogger };
    const events = new LifecycleEvents(doors, ending.control.signal);
    void events.run();
    return events;
  };
  const stateOf = (id: string) => view.containers.get(id)?.status.state;
  const kinds = () => told.map(({ kind }) => kind);

  it('lists each second where the runtime tells no news, and asks closer only for what changed', async () => {
    runtime.containers.set('a', 'running').set('b', 'running');
    follow();
    await clock.advance(RELIST_PERIOD_MS.unaided);
    expect(kinds()).toEqual(['started', 'started']);
    runtime.calls.length = 0;
    await clock.advance(RELIST_PERIOD_MS.unaided);
    expect(runtime.calls).toEqual(['ListPodSandbox', 'ListContainers']);
    runtime.containers.set('a', 'exited');
    await clock.advance(RELIST_PERIOD_MS.unaided);
    expect(runtime.calls.filter((call) => call === 'ContainerStatus')).toHaveLength(1);
    expect([stateOf('a'), stateOf('b'), kinds().at(-1)]).toEqual(['exited', 'running', 'exited']);
  });

  it.each(['cri', 'containerd'] as const)(
    'hears of ends at once by news of %s, and lists seldom then',
    async (news) => {
      runtime.news = news;
      runtime.containers.set('a', 'running');
      follow();
      await clock.advance(RELIST_PERIOD_MS.unaided);
      runtime.containers.set('a', 'exited');
      const value = Buffer.from('0a0161120161', 'hex');
      runtime.tell(
        news === 'cri'
          ? { containerId: 'a', type: 2 }
          : { topic: '/tasks/exit', event: { typeUrl: '', value } },
      );
      await clock.advance(0);
      expect([stateOf('a'), kinds()]).toEqual(['exited', ['started', 'exited']]);
      await clock.advance(RELIST_PERIOD_MS.unaided);
      runtime.calls.length = 0;
      await clock.advance(RELIST_PERIOD_MS.withEvents - 2 * RELIST_PERIOD_MS.unaided);
      expect(runtime.calls).toEqual([]);
      await clock.advance(2 * RELIST_PERIOD_MS.unaided);
      expect(runtime.calls).toEqual(['ListPodSandbox', 'ListContainers']);
    },
  );

  it('tells that memory had run out also where the runtime hears of that after the end', async () => {
    runtime.news = 'containerd';
    runtime.containers.set('a', 'running');
    follow();
    await clock.advance(RELIST_PERIOD_MS.unaided);
    const value = Buffer.from('0a0161120161', 'hex');
    const tell = async (topic: string) => {
      runtime.tell({ topic, event: { typeUrl: '', value } });
      await clock.advance(0);
    };
    runtime.containers.set('a', 'exited');
    await tell('/tasks/exit');
    expect(kinds()).toEqual(['started', 'exited']);
    runtime.reasons.set('a', 'OOMKilled');
    await tell('/tasks/oom');
    await tell('/tasks/oom');
    expect(kinds()).toEqual(['started', 'exited', 'oom']);
    expect(view.containers.get('a')?.status.reason).toBe('OOMKilled');
  });

  it('looks again for an end that the status does not show yet', async () => {
    runtime.news = 'cri';
    runtime.containers.set('a', 'running');
    follow();
    await clock.advance(RELIST_PERIOD_MS.unaided);
    runtime.tell({ containerId: 'a', type: 2 });
    await clock.advance(2);
    expect(stateOf('a')).toBe('running');
    runtime.containers.set('a', 'exited');
    await clock.advance(30);
    expect(stateOf('a')).toBe('exited');
  });

  it('looks for an end for some seconds where the runtime is slow to show it', async () => {
    runtime.news = 'cri';
    runtime.containers.set('a', 'running');
    follow();
    await clock.advance(RELIST_PERIOD_MS.unaided);
    runtime.tell({ containerId: 'a', type: 2 });
    await clock.advance(1_000);
    expect(stateOf('a')).toBe('running');
    runtime.containers.set('a', 'exited');
    await clock.advance(2_000);
    expect(stateOf('a')).toBe('exited');
  });

  it('lists once more for news that come while a list is under way, which may not know of them', async () => {
    const events = follow();
    const slow = Promise.withResolvers<void>();
    runtime.slow.set('ListContainers', slow.promise);
    await clock.advance(RELIST_PERIOD_MS.unaided);
    expect(runtime.calls).toEqual(['ListPodSandbox', 'ListContainers']);
    runtime.containers.set('a', 'running');
    events.nudge();
    slow.resolve();
    await clock.advance(0);
    expect(stateOf('a')).toBe('running');
  });

  it('says that the runtime does not answer, and that it does again', async () => {
    runtime.containers.set('a', 'running');
    const events = follow();
    await clock.advance(RELIST_PERIOD_MS.unaided);
    runtime.down = new GrpcError('UNAVAILABLE', 'connection refused');
    await clock.advance(RELIST_PERIOD_MS.unaided);
    expect([events.problem, stateOf('a')]).toEqual(['connection refused', 'running']);
    runtime.down = undefined;
    runtime.containers.set('a', 'exited');
    await clock.advance(RELIST_PERIOD_MS.unaided);
    expect([events.problem, stateOf('a')]).toEqual([undefined, 'exited']);
  });

  it('does not undo what a verb brought about by a list that was asked for before', async () => {
    runtime.containers.set('old', 'running').set('gone', 'running');
    await view.relist();
    const held = Promise.withResolvers<void>();
    runtime.slow.set('ListContainers', held.promise);
    const listing = view.relist();
    runtime.containers.set('new', 'created').delete('gone');
    await view.refresh('new', 's');
    view.drop('gone');
    held.resolve();
    await listing;
    expect([...view.containers.keys()].sort()).toEqual(['new', 'old']);
  });

  it('never takes a container back to an earlier state', async () => {
    runtime.containers.set('a', 'exited');
    await view.relist();
    runtime.containers.set('a', 'running');
    await view.refresh('a', 's');
    expect(stateOf('a')).toBe('exited');
  });

  it('tells of a container that somebody else removed', async () => {
    runtime.containers.set('a', 'running');
    await view.relist();
    runtime.containers.delete('a');
    await view.relist();
    expect([stateOf('a'), kinds()]).toEqual([undefined, ['started', 'exited']]);
  });

  it('asks for what is its own', async () => {
    const asked: unknown[] = [];
    const connection: GrpcConnection = {
      ...runtime.connection,
      call: (verb, request, limits) => {
        asked.push((request as { filter?: { labels: object } }).filter?.labels);
        return runtime.connection.call(verb, request, limits);
      },
    };
    const own = { connection: () => connection, files, owner: 'me', clock };
    await new RuntimeView({ ...own, emit: () => undefined }).relist();
    expect(asked).toEqual([{ [OWNER_LABEL]: 'me' }, { [OWNER_LABEL]: 'me' }]);
  });

  it('waits for an end no longer than it is told to', async () => {
    runtime.containers.set('a', 'running');
    await view.relist();
    const waiting = view.ended('a', 500);
    await clock.advance(500);
    expect((await waiting)?.state).toBe('running');
    const second = view.ended('a', 500);
    runtime.containers.set('a', 'exited');
    await view.refresh('a', 's');
    expect((await second)?.state).toBe('exited');
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(['exited', undefined] as const)(
    'sends the signal of a pod to no process whose container is %s by now, unheard of',
    async (state) => {
      runtime.containers.set('a', 'running').set('b', 'running');
      await view.relist();
      if (state) runtime.containers.set('a', state);
      else runtime.containers.delete('a');
      const signalled: string[] = [];
      const stop = (id: string) => {
        const { status } = view.known(id);
        const known = { status, notes: { annotations: {}, stopSignal: 'SIGUSR1' } };
        const system = { kill: () => signalled.push(id) > 0 };
        return endedBySignal({ system, view }, known as KnownContainer, 500);
      };
      const stopping = Promise.all([stop('a'), stop('b')]);
      await clock.advance(500);
      expect(await stopping).toEqual([true, false]);
      expect(signalled).toEqual(['b']);
    },
  );

  it('reads last words with a limit, and follows no link', async () => {
    const key = { podUid: 'pod', name: 'main', attempt: 0 };
    const path = files.makeTerminationLog(key);
    writeFileSync(path, 'x'.repeat(5_000));
    runtime.containers.set('a', 'exited');
    await view.relist();
    expect(view.containers.get('a')?.status.message).toHaveLength(4096);
    rmSync(path);
    symlinkSync('/etc/passwd', path);
    expect(files.terminationMessage(key)).toBe('');
  });
});
