// `pinnace crd` as a process of its own, against a whole server and the real kubectl: definitions written, compared, checked.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_NAMED } from '../../cli/commands/crd-check.ts';
import { defineKind } from '../../controllers/framework/kinds/define-kind.ts';
import type { Installable } from '../../controllers/framework/kinds/install.ts';
import { z } from '../../controllers/framework/kinds/zod.ts';
import { root } from '../tidy/sources.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { KUBECTL } from '../support/kubectl.ts';
import { runPinnace } from '../support/pinnace.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let folder: string;
let group: string;
let count = 0;
const crd = (...args: string[]) => runPinnace(['crd', ...args], { kubeconfig: server.kubeconfig });
const kubectl = async (...args: string[]) => {
  const env = { HOME: folder };
  const run = promisify(execFile)(KUBECTL, ['--kubeconfig', server.kubeconfig, ...args], { env });
  return (await run).stdout;
};

const IMPORTS = `
import { z } from '${root}/node_modules/zod/index.js';
import { defineKind } from '${root}/controllers/framework/index.ts';
`;

/** A module that defines Dials with this spec, and whatever else is said. */
function moduleOf(spec: string, more = '', before = ''): string {
  const path = join(folder, `kinds-${(count += 1)}.ts`);
  const dials = `export const Dials = defineKind({ group: '${group}', version: 'v1', kind: 'Dial', spec: ${spec}, ${more} });`;
  writeFileSync(path, `${IMPORTS}\n${before}\n${dials}\n`);
  return path;
}

/** The kind that most modules here change. */
const dials = (most = 9) =>
  defineKind({
    group,
    version: 'v1',
    kind: 'Dial',
    spec: z.object({
      size: z.int32().max(most),
      mode: z.enum(['on', 'off']).optional(),
      gone: z.string().optional(),
    }),
  });

/** Puts a kind into the cluster; answers the file of its definition. */
async function installed(kind: Installable): Promise<string> {
  const body = JSON.stringify(kind.definition());
  const name = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/dials.${group}`;
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  await server.call('PATCH', `${name}?fieldManager=test&force=true`, { body, headers });
  await until(async () => {
    const { conditions } = (await server.call('GET', name)).json().status;
    return isConditionTrue(conditions, 'Established');
  });
  const file = join(folder, 'definition.json');
  writeFileSync(file, body);
  return file;
}

async function dial(name: string, spec: object): Promise<void> {
  const body = { apiVersion: `${group}/v1`, kind: 'Dial', metadata: { name }, spec };
  const path = `/apis/${group}/v1/namespaces/default/dials`;
  expect(await server.call('POST', path, { body })).toMatchObject({ status: 201 });
}

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'cli-crd-'));
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
  await server.call('POST', '/api/v1/namespaces', { body });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  group = `dials${(count += 1)}.example.com`;
});

describe('pinnace crd generate', () => {
  it('writes definitions that kubectl applies and explains', async () => {
    const path = moduleOf("z.object({ size: z.int32().max(9).describe('How large it is.') })");
    const file = join(folder, 'definition.yaml');
    writeFileSync(file, (await crd('generate', path)).stdout);
    await kubectl('apply', '-f', file);
    await kubectl('wait', '--for=condition=Established', `crd/dials.${group}`);
    const explained = await kubectl('explain', `dials.spec.size`, `--api-version=${group}/v1`);
    expect(explained).toContain('How large it is.');
    await expect(crd('diff', path)).resolves.toEqual({
      code: 0,
      stdout: `dials.${group}: unchanged\n`,
      stderr: '',
    });
  });

  it('writes a file for each definition, or documentation', async () => {
    const path = moduleOf('z.object({ size: z.int32() })');
    const out = join(folder, `out-${count}`);
    expect(await crd('generate', path, '--out', out)).toMatchObject({ code: 0 });
    expect(readdirSync(out)).toEqual([`dials.${group}.yaml`]);
    expect(readFileSync(join(out, `dials.${group}.yaml`), 'utf8')).toContain('kind: Dial');
    const { stdout } = await crd('generate', path, '--reference');
    expect(stdout).toContain('| `spec.size` | integer (int32) | required |  |');
  });

  it('takes versions for parts of the kind that names them', async () => {
    const old = `export const Old = defineKind({ group: '${group}', version: 'v1beta1', kind: 'Dial', spec: z.object({}) });`;
    const { stdout } = await crd(
      'generate',
      moduleOf('z.object({})', 'versions: [{ kind: Old }]', old),
    );
    expect(stdout.match(/kind: CustomResourceDefinition/g)).toHaveLength(1);
    const { code, stderr } = await crd('generate', moduleOf('z.object({})', '', old));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/defines dials\.\S+ in \S+, which is defined in \S+ already: name one/),
    ]);
  });

  it.each<[string, () => string, RegExp]>([
    [
      'a kind with mistakes',
      () => moduleOf('z.object({ at: z.date() })'),
      /^error: cannot load .*: Dial \(.*\) is no kind that a server would take:\n {2}spec\.at: z\.date\(\)/,
    ],
    ['no file', () => join(folder, 'none.ts'), /^error: the path ".*none\.ts" does not exist$/m],
    [
      'a module without kinds',
      () => join(root, 'base/heap.ts'),
      /^error: .*heap\.ts exports no kind: export what defineKind answers$/m,
    ],
  ])('says what is wrong: %s', async (_what, path, wanted) => {
    const { code, stdout, stderr } = await crd('generate', path());
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(wanted),
    });
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

const BEFORE =
  "z.object({ size: z.int32().max(9), mode: z.enum(['on', 'off']).optional(), gone: z.string().optional() })";

describe('pinnace crd diff', () => {
  it('tells field by field what a module changes, of a cluster or of a file', async () => {
    const file = await installed(dials());
    const after = moduleOf(
      "z.object({ size: z.int32().max(5).default(3), mode: z.enum(['on', 'dim']), more: z.array(z.string()).optional() })",
      "rules: { spec: 'self.size > 1' }, shortNames: ['dl']",
    );
    const wanted = [
      `dials.${group}:`,
      '  changed   shortNames: [] -> ["dl"]',
      '  narrowed  v1 spec: rule self.size > 1 is new',
      '  widened   v1 spec.size: is no longer required',
      '  narrowed  v1 spec.size: maximum 9 -> 5',
      '  changed   v1 spec.size: default none -> 3',
      '  narrowed  v1 spec.mode: is required',
      '  narrowed  v1 spec.mode: value "off" is gone',
      '  widened   v1 spec.mode: value "dim" is new',
      '  added     v1 spec.more: array',
      '  removed   v1 spec.gone: string',
      '',
    ].join('\n');
    expect(await crd('diff', after)).toEqual({ code: 1, stdout: wanted, stderr: '' });
    const offline = await runPinnace(['crd', 'diff', after, '--against', file]);
    expect(offline).toEqual({ code: 1, stdout: wanted, stderr: '' });
  });

  it('tells that a kind is new', async () => {
    const outcome = await crd('diff', moduleOf(BEFORE));
    expect(outcome).toEqual({ code: 1, stdout: `dials.${group}: new\n`, stderr: '' });
  });
});

describe('pinnace crd check', () => {
  it('names the objects that would be invalid or lose fields, and no others', async () => {
    await installed(dials());
    await dial('fine', { size: 2, mode: 'on' });
    await dial('large', { size: 9, mode: 'on' });
    await dial('loser', { size: 2, mode: 'on', gone: 'x' });
    await dial('ruled', { size: 1, mode: 'on' });
    await dial('lacking', { size: 2 });
    const after = moduleOf(
      "z.object({ size: z.int32().max(5), mode: z.enum(['on', 'dim']) })",
      "rules: { spec: { rule: 'self.size > 1', message: 'too small' } }",
    );
    const { code, stdout } = await crd('check', after);
    expect(stdout.split('\n').filter((line) => line.includes('would'))).toEqual([
      '  default/lacking would be invalid: spec.mode: Required value',
      expect.stringMatching(/^ {2}default\/lacking would be invalid: <nil>: .*were not checked/),
      '  default/large would be invalid: spec.size: Invalid value: 9: spec.size in body should be less than or equal to 5',
      '  default/loser would lose spec.gone',
      '  default/ruled would be invalid: spec: Invalid value: too small',
      '  objects: 4 of 5 would be invalid or lose fields',
    ]);
    expect(code).toBe(1);
  });

  it('lets a wider definition pass, and objects that were wrong before', async () => {
    await installed(dials());
    await dial('a', { size: 9 });
    await installed(dials(5));
    const wider = moduleOf(BEFORE.replace('max(9)', 'max(5)').replace("'off'", "'off', 'dim'"));
    const outcome = await crd('check', wider);
    expect(outcome).toEqual({
      code: 0,
      stdout: `dials.${group}:\n  widened   v1 spec.mode: value "dim" is new\n  objects: all 1 stay as they are\n`,
      stderr: '',
    });
  });

  it('tells what the server would refuse about the change', async () => {
    await installed(dials());
    const { code, stdout } = await crd('check', moduleOf(BEFORE, "scope: 'Cluster'"));
    expect(code).toBe(1);
    expect(stdout).toMatch(/the server would refuse it: scope: .*field is immutable/);
  });

  it('holds objects to the version that they will be stored in, by way of converters', async () => {
    await installed(dials());
    await dial('short', { size: 2 });
    await dial('long', { size: 9 });
    const old = `const Old = defineKind({ group: '${group}', version: 'v1', kind: 'Dial', spec: ${BEFORE} });`;
    const path = join(folder, 'next.ts');
    writeFileSync(
      path,
      `${IMPORTS}\n${old}\nexport const Dials = defineKind({ group: '${group}', version: 'v2', kind: 'Dial',
        spec: z.object({ width: z.int32().max(5) }),
        versions: [{ kind: Old, up: (o) => ({ spec: { width: o.spec.size } }), down: (n) => ({ spec: { size: n.spec.width } }) }] });`,
    );
    const { code, stdout } = await crd('check', path);
    expect(stdout).toContain('default/long would be invalid: spec.width: Invalid value: 9');
    expect(stdout).not.toContain('default/short');
    expect(code).toBe(1);
  });

  it(`names ${MAX_NAMED} objects, and how many more there are`, async () => {
    await installed(dials());
    for (let i = 0; i < MAX_NAMED + 2; i++) await dial(`d${i}`, { size: 9 });
    const { stdout } = await crd('check', moduleOf(BEFORE.replace('max(9)', 'max(5)')));
    expect(stdout.match(/would be invalid: spec\.size/g)).toHaveLength(MAX_NAMED);
    expect(stdout).toContain(
      '  and 2 more\n  objects: 102 of 102 would be invalid or lose fields\n',
    );
  });
});
