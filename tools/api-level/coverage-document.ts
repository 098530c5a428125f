// The text of docs/api-coverage.md: what a running server serves, beside what its level has upstream.
// Invariant: what is said of us comes from the server's own discovery and definitions, from samples and from tests; nothing is
// said from memory.
import { readFileSync } from 'node:fs';
import { apiVersionOf } from '../../api/kind-ref.ts';
import { Scheme } from '../../api/scheme.ts';
import { createApiServer } from '../../apiserver/api-server.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import { systemClock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { samples } from '../../test/support/samples.ts';
import { CONSTRUCTS, saidBy } from './definition-constructs.ts';
import { type UpstreamResource, upstreamResources } from './upstream.ts';

const ADMIN = { username: 'coverage', groups: ['system:masters'] };

interface Listed {
  readonly name: string;
  readonly verbs: readonly string[];
}

/** Names and verbs of a group and version, subresources among them, as discovery says. */
type Discovered = (apiVersion: string) => Promise<readonly Listed[]>;

async function withServer<T>(use: (discovered: Discovered) => Promise<T>): Promise<T> {
  const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  const server = await createApiServer({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    serviceCidr: '10.96.0.0/16',
  });
  try {
    return await use(async (apiVersion) => {
      const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const { signal } = new AbortController();
      const query = new URLSearchParams();
      const reply = await server.handler(
        { method: 'GET', path, query, headers: {}, signal },
        ADMIN,
      );
      if (reply.kind !== 'body' || reply.status !== 200) return [];
      const list = JSON.parse(Buffer.concat(reply.body).toString()) as { resources: Listed[] };
      return list.resources;
    });
  } finally {
    await server.close();
    await storage.close();
  }
}

const yes = (is: boolean): string => (is ? 'yes' : '-');

async function rowOf(scheme: Scheme, resource: UpstreamResource, discovered: Discovered) {
  const { group, version, name, kind, verbs, subresources } = resource;
  const served = await discovered(apiVersionOf(resource));
  const ours = served.find((one) => one.name === name);
  const parts = served.flatMap((one) =>
    one.name.startsWith(`${name}/`) ? [one.name.slice(name.length + 1)] : [],
  );
  const definition = scheme.byResource(group, version, name);
  const lacks = [
    ...(ours ? verbs.filter((verb) => !ours.verbs.includes(verb)) : ['the whole kind']),
    ...(ours ? subresources.filter((part) => !parts.includes(part)).map((part) => `/${part}`) : []),
  ];
  const why = ours || !resource.lacking ? '' : ` (${resource.lacking})`;
  return [
    kind,
    apiVersionOf(resource),
    ours ? `${verbs.filter((verb) => ours.verbs.includes(verb)).length} of ${verbs.length}` : '-',
    parts.join(', ') || '-',
    yes(definition?.defaults !== undefined),
    yes(definition?.validate !== undefined),
    yes((definition?.columns.length ?? 0) > 0),
    lacks.length === 0 ? '' : `${lacks.join(', ')}${why}`,
  ];
}

/** The page as Markdown. Starts a server in this process, and ends it. */
export async function coverageDocument(): Promise<string> {
  const scheme = new Scheme();
  const rows = await withServer((discovered) =>
    Promise.all(upstreamResources.map((resource) => rowOf(scheme, resource, discovered))),
  );
  const table = [
    ['Kind', 'apiVersion', 'verbs', 'subresources', 'defaults', 'validation', 'columns', 'lacking'],
    Array.from({ length: 8 }, () => '---'),
    ...rows,
  ].map((cells) => `| ${cells.join(' | ')} |`.replaceAll('  ', ' '));
  return [
    '# What of the API is served',
    '',
    'Every generally available resource of Kubernetes v1.36, and what of it a running server has. Made by `npm run coverage`; do not edit.',
    'Verbs are those of upstream that we have. Defaults, validation and columns say that a kind has any of its own: reviews and kinds without',
    'such rules upstream show a dash. [status.md](status.md) says which kinds something acts on.',
    '',
    ...table,
    '',
    ...definitionsSection(),
    '',
  ].join('\n');
}

const ROOT = new URL('../../', import.meta.url);

/** What definitions of custom resources can say, which samples say it, and which tests hold us to it. */
function definitionsSection(): string[] {
  const said = samples().map(({ name, definition }) => [name, saidBy(definition)] as const);
  const rows = CONSTRUCTS.map(({ what, said: how, tests }) => {
    const names = said.flatMap(([name, all]) => (how !== undefined && all.has(how) ? [name] : []));
    invariant(how === undefined || names.length > 0, `a sample of crds/ says ${what}`);
    for (const [file, words] of tests) {
      const text = readFileSync(new URL(file, ROOT), 'utf8');
      invariant(text.includes(words), `${file} has a test of ${what}: ${words}`);
    }
    const files = [...new Set(tests.map(([file]) => `\`${file}\``))];
    return `| ${what} | ${names.join(', ') || '-'} | ${files.join(', ')} |`;
  });
  return [
    '## What definitions of custom resources can say',
    '',
    'Every construct of `apiextensions.k8s.io/v1`, the samples in [crds/](../crds/README.md) that use it, and the tests that hold us to it.',
    '',
    '| construct | samples | tests |',
    '| --- | --- | --- |',
    ...rows,
  ];
}
