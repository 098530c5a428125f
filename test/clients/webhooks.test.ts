// Admission webhooks as users of kubectl meet them: what is changed, refused, warned of, and why nothing works when one is away.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  aConfigMap,
  aHookedServer,
  CONFIG_MAPS,
  type Hooked,
  NS,
  patching,
  setting,
} from '../support/webhook-configuration.ts';
import { documentsOf, KUBECTL_VERSIONS } from '../support/kubectl.ts';

let on: Hooked;
/** Where kubectl keeps what it learnt. */
let home: string;
beforeAll(async () => {
  on = await aHookedServer();
  await on.ask(`POST ${NS}/serviceaccounts`, { metadata: { name: 'default' } });
  const spec = { containers: [{ name: 'a', image: 'a' }] };
  await on.ask(`POST ${NS}/pods`, { metadata: { name: 'p' }, spec });
  const headers = { 'content-type': 'application/merge-patch+json' };
  await on.ask(`PATCH ${NS}/pods/p/status`, { status: { phase: 'Running' } }, headers);
  home = mkdtempSync(join(tmpdir(), 'webhooks-kubectl-'));
});
afterAll(async () => {
  await on.close();
  rmSync(home, { recursive: true, force: true });
});
afterEach(() => on.clear());

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', ...aConfigMap(name) });

describe.each(KUBECTL_VERSIONS)('kubectl $version', ({ binary, word }) => {
  const kubectl = (args: string, input = ''): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const all = ['--kubeconfig', on.server.kubeconfig, ...args.split(' ')];
      const child = execFile(
        binary,
        all,
        { env: { HOME: home, PATH: '/usr/bin:/bin' } },
        (error, stdout, stderr) => {
          if (error && typeof error.code !== 'number') reject(error);
          else resolve({ code: Number(error?.code ?? 0), stdout, stderr });
        },
      );
      child.stdin?.end(input);
    });

  it('shows what a webhook changed, and a second apply changes nothing', async () => {
    on.hook.on('/a', () => patching(setting('b', '2')));
    await on.configure('mutating', 'm', [{}]);
    const input = documentsOf(configMap(`changed-${word}`));
    expect((await kubectl('apply -f -', input)).stdout).toContain('created');
    const shown = await kubectl(`get cm changed-${word} -o jsonpath={.data}`);
    expect(JSON.parse(shown.stdout)).toEqual({ a: '1', b: '2' });
    expect((await kubectl('apply -f -', input)).stdout).toContain('unchanged');
    expect((await kubectl('diff -f -', input)).code).toBe(0);
  });

  it('tells a refusal in the webhook’s words, and applies what is beside it', async () => {
    on.hook.on('/no', ({ request }) =>
      request.name.startsWith('bad')
        ? { allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no bad names' } }
        : { allowed: true },
    );
    await on.configure('validating', 'v', [{ name: 'no.test.local' }]);
    const input = documentsOf([configMap(`bad-${word}`), configMap(`good-${word}`)]);
    const { code, stdout, stderr } = await kubectl('create -f -', input);
    expect(code).toBe(1);
    expect(stdout).toBe(`configmap/good-${word} created\n`);
    expect(stderr).toBe(
      'Error from server (Forbidden): error when creating "STDIN": admission webhook "no.test.local" denied the request: no bad names\n',
    );
  });

  it('tells warnings of webhooks', async () => {
    on.hook.on('/warn', () => ({ allowed: true, warnings: ['this will go "soon"'] }));
    await on.configure('validating', 'v', [{ name: 'warn.test.local' }]);
    const { code, stderr } = await kubectl(`create cm warned-${word}`);
    expect(code).toBe(0);
    expect(stderr).toBe('Warning: this will go "soon"\n');
  });

  it('tells which webhook is away', async () => {
    const clientConfig = {
      service: { namespace: 'default', name: 'nobody', path: '/x' },
      caBundle: on.hook.caBundle,
    };
    await on.configure('validating', 'v', [{ clientConfig }]);
    const { code, stderr } = await kubectl(`create cm away-${word}`);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'error: failed to create configmap: Internal error occurred: failed calling webhook "a.test.local": ' +
        'failed to call webhook: Post "https://nobody.default.svc:443/x?timeout=10s": service "nobody" not found\n',
    );
  });

  it('dry runs on the server go through webhooks', async () => {
    on.hook.on('/a', () => patching(setting('b', '2')));
    await on.configure('mutating', 'm', [{}]);
    const { stdout } = await kubectl(
      `create cm dry-${word} --from-literal=a=1 --dry-run=server -o yaml`,
    );
    expect(stdout).toContain('b: "2"');
    expect((await kubectl(`get cm dry-${word}`)).stderr).toContain('NotFound');
  });

  it('is kept from deleting and looking into what a webhook protects', async () => {
    on.hook.on('/no', ({ request }) => ({
      allowed: false,
      status: {
        message: `no ${request.operation} of ${request.resource.resource}/${request.subResource}`,
      },
    }));
    const all = ['pods', 'pods/exec', 'pods/portforward'];
    const rules = [{ ...CONFIG_MAPS, resources: all, operations: ['DELETE', 'CONNECT'] }];
    await on.configure('validating', 'v', [{ name: 'no.test.local', rules }]);
    const refusal = 'admission webhook "no.test.local" denied the request: ';
    expect((await kubectl('delete pod p')).stderr).toContain(
      `${refusal}no DELETE of pods/undefined`,
    );
    expect((await kubectl('exec p -- ls')).stderr).toContain(`${refusal}no CONNECT of pods/exec`);
    expect((await kubectl('port-forward p :80')).stderr).toContain(
      `${refusal}no CONNECT of pods/portforward`,
    );
  });

  it('lists the webhooks of a configuration, and explains them', async () => {
    await on.configure('validating', 'v', [{}, { name: 'b.test.local' }]);
    const { stdout } = await kubectl('get validatingwebhookconfigurations');
    expect(stdout).toMatch(/NAME\s+WEBHOOKS\s+AGE\nv\s+2\s+/);
    const explained = await kubectl(
      'explain validatingwebhookconfiguration.webhooks.matchConditions',
    );
    expect(explained.stdout).toContain('expression');
  });
});
