// Real kubectl explains every kind that is served, from OpenAPI v3 as it does by itself and from v2 as it does when told to.
// Invariant: which kinds there are comes from discovery, so that a new one is asked for too.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type Kubectl, KUBECTL_VERSIONS } from '../support/kubectl.ts';

/** kubectl runs at once: as many as the test hosts have cores. */
const AT_ONCE = 2;

interface Served {
  readonly plural: string;
  readonly kind: string;
  readonly apiVersion: string;
}

/** A kind whose schema uses what no built-in kind has. */
const ODD_KIND = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'oddities.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'oddities', singular: 'oddity', kind: 'Oddity' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'Something odd.',
            properties: {
              shape: { type: 'string', pattern: '^a+$', minLength: 1, maxLength: 9, enum: ['a'] },
              size: { type: 'number', minimum: 0.5, maximum: 9, multipleOf: 0.5, default: 1 },
              either: { 'x-kubernetes-int-or-string': true },
              loose: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              open: { type: 'object', additionalProperties: true },
              many: { type: 'array', maxItems: 3, items: { type: 'string', nullable: true } },
            },
          },
        },
      },
    ],
  },
};

let cluster: TestCluster;
let served: Served[];
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  await cluster.kubectl.apply(ODD_KIND);
  await cluster.kubectl.wait('--for=condition=Established', `crd/${ODD_KIND.metadata.name}`);
  served = await servedBy(cluster.kubectl);
});
afterAll(() => cluster?.stop());

async function servedBy(k: Kubectl): Promise<Served[]> {
  const raw = async (path: string) => JSON.parse(await k.ok(['get', '--raw', path]));
  const { groups } = await raw('/apis');
  const versions = groups.flatMap((group: { versions: { groupVersion: string }[] }) =>
    group.versions.map(({ groupVersion }) => groupVersion),
  );
  const found: Served[] = [];
  for (const apiVersion of ['v1', ...versions]) {
    const { resources } = await raw(`/${apiVersion === 'v1' ? 'api' : 'apis'}/${apiVersion}`);
    for (const { name, kind } of resources)
      if (!name.includes('/')) found.push({ plural: name, kind, apiVersion });
  }
  return found;
}

/** Runs the function for all, a few at once; answers what it found wrong. */
async function faultsOf(
  all: readonly Served[],
  check: (one: Served) => Promise<string | undefined>,
): Promise<string[]> {
  const open = [...all];
  const faults: string[] = [];
  const worker = async () => {
    for (let one = open.shift(); one !== undefined; one = open.shift()) {
      const fault = await check(one);
      if (fault !== undefined) faults.push(`${one.apiVersion} ${one.plural}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return faults;
}

/** kubectl finds the kind of a plural without its version: one that two kinds share cannot be asked for from v2. */
const ambiguous = ({ plural, kind }: Served) =>
  served.some((other) => other.plural === plural && other.kind !== kind);

describe.each(KUBECTL_VERSIONS)('kubectl $version', ({ binary }) => {
  const explain = ({ plural, apiVersion }: Served, ...more: string[]) =>
    cluster.kubectl
      .with({ binary })
      .run(['explain', plural, `--api-version=${apiVersion}`, '--recursive', ...more]);

  it('explains every served kind with all of its fields', { timeout: 600_000 }, async () => {
    expect(served.length).toBeGreaterThan(60);
    expect(served.map(({ kind }) => kind)).toContain('Oddity');
    const faults = await faultsOf(served, async (one) => {
      const { code, stdout, stderr } = await explain(one);
      if (code !== 0) return stderr;
      const [version, group] = one.apiVersion.split('/').reverse();
      const head = new RegExp(
        `^${group === undefined ? '' : `GROUP: +${group}\n`}KIND: +${one.kind}\nVERSION: +${version}\n`,
      );
      const fields = /\nFIELDS:\n[^]*^ {2}apiVersion\t<string>\n[^]*^ {2}metadata\t<\w+>/m;
      return head.test(stdout) && fields.test(stdout) ? undefined : stdout.slice(0, 300);
    });
    expect(faults).toEqual([]);
  });

  it('explains a kind of every group from the older document', { timeout: 600_000 }, async () => {
    const plain = served.filter((one) => !ambiguous(one));
    const groups = [...new Set(plain.map(({ apiVersion }) => apiVersion))];
    const firsts = groups.flatMap((group) => plain.find((one) => one.apiVersion === group) ?? []);
    expect(firsts.length).toBeGreaterThan(15);
    const faults = await faultsOf(firsts, async (one) => {
      const { code, stdout, stderr } = await explain(one, '--output=plaintext-openapiv2');
      if (code !== 0) return stderr;
      const text = new RegExp(
        `^KIND: +${one.kind}\nVERSION: +${one.apiVersion}\n[^]*\nFIELDS:\n[^]* {3}apiVersion\t<string>\n`,
      );
      return text.test(stdout) ? undefined : stdout.slice(0, 300);
    });
    expect(faults).toEqual([]);
  });

  it('says what a field is, what is in it, and which fields there are not', async () => {
    const ask = (...args: string[]) => cluster.kubectl.with({ binary }).run(['explain', ...args]);
    expect((await ask('pod.spec.containers.ports.containerPort')).stdout).toMatch(
      /FIELD: containerPort <integer>/,
    );
    const older = await ask('deploy.spec.template.spec', '--output=plaintext-openapiv2');
    expect(older.stdout).toMatch(/RESOURCE: spec <Object>[^]*containers\t<\[\]Object> -required-/);
    expect((await ask('pod.spec.nope')).stderr).toBe('error: field "nope" does not exist\n');
    expect(await ask('nothing')).toMatchObject({ code: 1 });
  });
});
