// Custom resources: how soon a definition serves, how fast its objects are checked, what hundreds of definitions cost, and what a
// custom resource costs beside a built-in one. `npm run bench -- crds`.
// Invariant: servers are `pinnace apiserver` as a process of its own; checks are made in this process, on one core, by CPU time.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parse } from 'yaml';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { customResources } from '../../api/apiextensions/custom-resource.ts';
import { SchemaTrees } from '../../api/apiextensions/schema-trees.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import { collectionOf, samples } from '../../test/support/samples.ts';
import { customRows } from './custom-rows.ts';
import { define } from './define.ts';
import { LARGE, largeDefinition, largeInstance } from './large-definition.ts';
import { median, type Note, type Part } from './part.ts';
import { providerDefinitions } from './provider-definitions.ts';
import { cpuDuring, type ServedApi, withServedApi } from './served-api.ts';

const LARGE_ROUNDS = 5;
const CHECK_CPU_MS = 500;
const MANY = 500;

interface Subject {
  readonly what: string;
  readonly definition: CustomResourceDefinition;
  readonly object: LooseObject;
}

function subjects(): Subject[] {
  return [
    ...samples().map(({ name, definition, right }) => ({
      what: name,
      definition,
      object: parse(right) as LooseObject,
    })),
    {
      what: 'the largest',
      definition: largeDefinition(),
      object: largeInstance('a') as LooseObject,
    },
  ];
}

/** From the POST of a definition to the answer about its first object. */
async function firstObjectAfter(api: ServedApi, { definition, object }: Subject): Promise<number> {
  const startedAt = performance.now();
  await define(api.client, [definition]);
  for (;;) {
    try {
      await api.client.transport.request({
        method: 'POST',
        path: collectionOf(definition),
        body: object,
      });
      return performance.now() - startedAt;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** The largest under another name: a server knows each definition once. */
function largeAgain(nth: number): Subject {
  const text = JSON.stringify({ definition: largeDefinition(), object: largeInstance('a') });
  const renamed = text
    .replaceAll(LARGE.plural, `${LARGE.plural}${nth}`)
    .replaceAll('Observatory', `Observatory${nth}`)
    .replaceAll('"obs"', `"obs${nth}"`);
  return { what: 'the largest', ...(JSON.parse(renamed) as Omit<Subject, 'what'>) };
}

async function acceptance(api: ServedApi, note: Note): Promise<void> {
  for (const subject of subjects()) {
    const kb = Math.round(JSON.stringify(subject.definition).length / 1000);
    const what = `definition ${subject.what} (${kb} KB): POST to its first object`;
    const ms = await firstObjectAfter(api, subject);
    note({ what, value: ms, unit: 'ms', ...(subject.what === 'the largest' && { goal: '< 150' }) });
  }
  const again: { ms: number; cpuMs: number }[] = [];
  for (let nth = 0; nth < LARGE_ROUNDS; nth++) {
    const subject = largeAgain(nth);
    const { result, cpuMs } = await cpuDuring(api.pid, () => firstObjectAfter(api, subject));
    again.push({ ms: result, cpuMs });
  }
  const what = `the same, median of ${LARGE_ROUNDS} more such`;
  note({ what, value: median(again.map(({ ms }) => ms)), unit: 'ms', goal: '< 150' });
  const cpu = median(again.map(({ cpuMs }) => cpuMs));
  note({ what: `${what}, server CPU`, value: cpu, unit: 'ms' });
}

/** Objects decoded, defaulted and checked in a second of CPU. */
function checksPerSecond({ definition: crd, object }: Subject): number {
  const [kind] = customResources(crd, crd.spec.names, new SchemaTrees(() => crd));
  if (!kind?.custom) throw new Error('there is nothing to check by');
  const { custom, ref } = kind;
  const check = () => {
    const { object: decoded } = custom.decode(object, ref);
    kind.defaults?.(decoded);
    const errors = kind.validate?.(decoded, undefined) ?? [];
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
  };
  const run = (forMs: number): number => {
    const cpu = process.cpuUsage();
    for (let count = 1; ; count++) {
      check();
      const { user, system } = process.cpuUsage(cpu);
      const ms = (user + system) / 1000;
      if (ms > forMs) return (1000 * count) / ms;
    }
  };
  run(CHECK_CPU_MS / 2);
  return run(CHECK_CPU_MS);
}

function checks(note: Note): void {
  for (const subject of subjects()) {
    const bytes = JSON.stringify(subject.object).length;
    const what = `objects of ${subject.what} (${bytes} bytes) pruned, defaulted and checked`;
    note({ what, value: checksPerSecond(subject), unit: '/s', goal: '> 3000' });
  }
}

/** Is every kind in the document that current clients read? */
async function discovered(api: ServedApi, kinds: number): Promise<boolean> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const reply = await api.client.transport.request({ method: 'GET', path: '/apis', accept });
  return JSON.stringify(reply.object()).split('"resource":"things').length > kinds;
}

async function many(api: ServedApi, note: Note): Promise<void> {
  const definitions = providerDefinitions(MANY);
  const kb = Math.round(JSON.stringify(definitions[0]).length / 1000);
  // What a server comes to need with its first requests, such as compiled code, is no definition's.
  for (const subject of subjects()) await firstObjectAfter(api, subject);
  const before = await api.usedMb();
  await api.longestTurn();
  const startedAt = performance.now();
  const { cpuMs } = await cpuDuring(api.pid, () => define(api.client, definitions));
  if (!(await discovered(api, MANY))) throw new Error('not all kinds are in discovery');
  const seconds = (performance.now() - startedAt) / 1000;
  const longest = await api.longestTurn();
  const what = `${MANY} definitions (${kb} KB each)`;
  note({
    what: `${what} at once: all established and in discovery`,
    value: seconds,
    unit: 's',
    goal: '< 10',
  });
  note({ what: `${what}: server CPU`, value: cpuMs / 1000, unit: 's' });
  note({ what: `${what}: longest turn meanwhile`, value: longest, unit: 'ms' });
  const used = (await api.usedMb()) - before;
  note({
    what: `${what}: memory, heap and buffers after a collection`,
    value: used,
    unit: 'MB',
    goal: '< 150',
  });
  await documents(api, note);
}

/** What clients read of many definitions besides. */
async function documents(api: ServedApi, note: Note): Promise<void> {
  const before = await api.usedMb();
  for (const path of ['/openapi/v3', '/openapi/v2']) {
    await api.longestTurn();
    const startedAt = performance.now();
    await api.client.transport.request({ method: 'GET', path });
    const ms = performance.now() - startedAt;
    note({ what: `${path} with ${MANY} definitions, first time`, value: ms, unit: 'ms' });
    note({ what: `${path}: longest turn meanwhile`, value: await api.longestTurn(), unit: 'ms' });
  }
  const used = (await api.usedMb()) - before;
  note({ what: 'both documents: memory after a collection', value: used, unit: 'MB' });
}

/** The figures of custom resources. */
export const crds: Part = {
  name: 'crds',
  async measure(note, directory) {
    checks(note);
    const served = (
      name: string,
      use: (api: ServedApi, note: Note) => Promise<void>,
      flags = NONE,
    ) => {
      const dataDir = join(directory, name);
      mkdirSync(dataDir);
      return withServedApi(dataDir, (api) => use(api, note), flags);
    };
    await served('acceptance', acceptance);
    await served('many', many, ['--expose-gc']);
    await served('beside', customRows);
  },
};

const NONE: readonly string[] = [];
