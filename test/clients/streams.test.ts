// Real kubectl's streams into pods: port-forward, attach, cp; and exec and the others over SPDY, as older clients ask for them.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import type { Follower, Kubectl } from '../support/kubectl.ts';
import { shellPod, webDeployment, webService } from './objects.ts';

/** How kubectl is told to use SPDY itself rather than a WebSocket. */
const SPDY_ONLY = {
  KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false',
  KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false',
};

let cluster: TestCluster;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-streams-'));
  cluster = await startTestCluster({ node: true });
  const k = cluster.kubectl;
  const listening = 'while read line; do echo "heard $line"; done; echo over; sleep 1000';
  await k.apply([
    shellPod('ears', listening, { container: { stdin: true } }),
    webDeployment('web', 1),
    webService('web'),
  ]);
  await k.wait('--for=condition=Ready', 'pod/ears');
  await k.wait('--for=condition=Available', 'deploy/web');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cluster?.stop();
});

/** kubectl port-forward until the function settles; it gets the URL of this side. */
async function forwarding<T>(
  k: Kubectl,
  [what, port]: readonly [string, number],
  use: (url: string, follower: Follower) => Promise<T>,
): Promise<T> {
  const follower = k.follow(['port-forward', what, `:${port}`]);
  try {
    const line = await follower.says(/Forwarding from 127\.0\.0\.1:\d+ -> \d+/);
    return await use(`http://127.0.0.1:${/:(\d+) ->/.exec(line)?.[1]}`, follower);
  } finally {
    await follower.stop();
  }
}

describe.each([
  ['WebSocket', {}],
  ['SPDY', SPDY_ONLY],
])('over %s', (transport, env) => {
  let k: Kubectl;
  beforeAll(() => {
    k = cluster.kubectl.with({ env });
  });
  const ask = (url: string, more: object = {}) => cluster.request({ url, ...more });

  it.each([
    ['a Deployment', 'deploy/web', 8080],
    ['a Service', 'svc/web', 80],
    ['a program that listens on the loopback only', 'deploy/web', 9090],
  ])('port-forward reaches %s', async (what, name, port) => {
    await forwarding(k, [name, port], async (url) => {
      const answer = await ask(url);
      expect(answer.status, answer.error).toBe(200);
      expect(answer.text).toMatch(what.includes('loopback') ? /by loopback only/ : /"pod":"web-/);
    });
  });

  it('port-forward uses the protocol that it is told to, with no falling back', async () => {
    const follower = k.follow(['port-forward', 'deploy/web', ':8080', '-v=8']);
    await follower.says(/Forwarding from/);
    // Output and errors come by two ways: all of both is there at the end.
    await follower.stop();
    const tunnelled = follower.text().includes('SPDY/3.1+portforward.k8s.io');
    expect(tunnelled).toBe(transport === 'WebSocket');
    expect(follower.text()).not.toMatch(/fallback|falling back/i);
  });

  it('port-forward carries many connections at once, and large bodies both ways unchanged', async () => {
    await forwarding(k, ['deploy/web', 8080], async (url) => {
      const all = await Promise.all(Array.from({ length: 12 }, () => ask(url)));
      expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
      const body = randomBytes(6 * 1024 * 1024).toString('base64');
      const echoed = await ask(`${url}/echo`, { method: 'POST', body });
      expect(echoed.text.length).toBe(body.length);
      expect(echoed.text === body).toBe(true);
    });
  });

  it('port-forward tells of a port that nobody listens on, and goes on with others', async () => {
    const follower = k.follow(['port-forward', 'deploy/web', ':8081', ':8080']);
    await follower.says(/-> 8080\n/);
    const portOf = (port: number) =>
      new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${port}\n`).exec(follower.text())?.[1];
    expect((await ask(`http://127.0.0.1:${portOf(8081)}`)).status).toBe(0);
    await follower.says(/error forwarding port 8081 to pod web-\S+, uid \S+: .*ECONNREFUSED/);
    expect(await follower.stop()).toBeUndefined();
  });

  it('exec hands over output, errors, input and the exit code', async () => {
    const script = 'cat; echo bad >&2; exit 9';
    const { code, stdout, stderr } = await k.run(
      ['exec', '-i', 'ears', '--', '/bin/sh', '-c', script],
      { input: 'some input\n' },
    );
    expect(stdout).toBe('some input\n');
    expect(stderr).toContain('bad\n');
    expect(code).toBe(9);
  });

  it('exec gives a terminal of the right size', async () => {
    const command = `stty rows 33 cols 77; "$KUBECTL" exec -it ears -- /bin/sh`;
    const shell = k.follow([command, '/dev/null'], ['script', '-qec']);
    await shell.says(/# $/);
    // The size comes by a way of its own, and may come after the prompt.
    shell.type('while [ "$(stty size)" != "33 77" ]; do sleep 0.1; done; stty size\n');
    await shell.says(/33 77\r\n/);
    shell.type('echo mark-$((40+2))\n');
    await shell.says(/mark-42\r\n/);
    shell.type('exit 3\n');
    expect(await shell.ended).toBe(3);
  });

  it('attach talks to the running container', async () => {
    const attached = k.follow(['attach', '-i', 'ears']);
    attached.type(`word ${transport}\n`);
    await attached.says(new RegExp(`heard word ${transport}\n`));
    await attached.stop();
    expect(await k.ok(['logs', 'ears'])).not.toContain('over');
  });

  it('exec of what cannot run says why', async () => {
    for (const flags of [[], ['-it']]) {
      const { code, stdout, stderr } = await k.run(['exec', ...flags, 'ears', '--', 'nope']);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^error: Internal error occurred: .*exec: "nope": executable file not found in \$PATH$/m,
      );
      expect(stderr).not.toContain('level=error');
    }
  });

  it('cp takes files both ways', async () => {
    const [from, back] = [join(folder, `from-${transport}`), join(folder, `back-${transport}`)];
    const bytes = randomBytes(3 * 1024 * 1024);
    writeFileSync(from, bytes);
    await k.ok(['cp', from, `ears:/tmp/copied-${transport}`]);
    await k.ok(['cp', `ears:/tmp/copied-${transport}`, back]);
    expect(readFileSync(back).equals(bytes)).toBe(true);
  });
});

describe('who may only read', () => {
  it('gets no way in', async () => {
    const reader = cluster.kubectl.with({ kubeconfig: await cluster.userKubeconfig('reader') });
    await cluster.kubectl.ok([
      'create',
      'clusterrolebinding',
      'reader',
      '--clusterrole=view',
      '--user=reader',
    ]);
    const { code, stderr } = await reader.run(['port-forward', 'deploy/web', ':8080']);
    expect(code).toBe(1);
    expect(stderr).toContain('pods/portforward');
    expect(stderr).toContain('forbidden');
  });
});
