// The guide docs/guide/containerd.md as its reader types it, on a containerd of this test; its configuration is what aContainerd uses.
// Real containers: needs root and Debian's containerd.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { dataPaths } from '../../cli/serve/data-directory.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { aTestPlace, type TestPlace } from '../support/cluster.ts';
import { aContainerd, type TestContainerd } from '../support/containerd.ts';
import { writeImageArchive } from '../support/image-archive.ts';
import { KUBECTL } from '../support/kubectl.ts';
import { buildTestImages, SHELL_IMAGE } from '../support/tiny-images.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs/guide/containerd.md'), 'utf8');
const PINNACE = `${process.execPath} ${join(ROOT, 'cli', 'pinnace.ts')}`;

let place: TestPlace;
let containerd: TestContainerd;
let folder: string;
beforeAll(async () => {
  place = aTestPlace();
  const paths = dataPaths(place.dataDir);
  containerd = await aContainerd({ cni: join(paths.node, 'cni'), host: place.host });
  folder = join(place.dataDir, 'reader');
  mkdirSync(folder, { recursive: true });
  const { system } = place.host;
  await buildTestImages(system, paths.images);
  const store = createImageStore({ system, dir: paths.images, logger: silentLogger });
  await writeImageArchive({ system, store }, [SHELL_IMAGE], join(folder, 'shell.tar'));
  for (const [, name = '', text = ''] of PAGE.matchAll(/^```yaml\n# (\S+)\n(.*?)^```$/gms))
    writeFileSync(join(folder, name), text);
});
afterAll(async () => {
  await place?.dispose();
  await containerd?.dispose();
});

/** Types a block of commands; what the page has for its reader's places is this test's. */
async function type(commands: string): Promise<string> {
  const script = commands
    .replaceAll('npx pinnace', PINNACE)
    .replaceAll('unix:///run/containerd/containerd.sock', containerd.endpoint)
    .replaceAll('/root/.pinnace', place.dataDir)
    .replaceAll('--detach', '--detach --port 0')
    .replaceAll(/^kubectl /gm, `${KUBECTL} `);
  const address = containerd.endpoint.replace('unix://', '');
  const env = {
    PINNACE_DATA_DIR: place.dataDir,
    KUBECONFIG: dataPaths(place.dataDir).kubeconfig,
    CONTAINERD_ADDRESS: address,
    HOME: folder,
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  };
  const said = await place.host.run('/bin/sh', ['-ec', `cd ${folder}\n${script}`], {
    env,
    timeoutMs: 200_000,
  });
  if (said.code !== 0) throw new Error(`${commands}\n${said.stdout}\n${said.stderr}`);
  return said.stdout;
}

it('does what the page says, from start to stop', async () => {
  const blocks = Array.from(PAGE.matchAll(/^```sh\n(.*?)^```$/gms), ([, text = '']) => text);
  expect(blocks).toHaveLength(3);
  const [start = '', images = '', stop = ''] = blocks;
  expect(await type(start)).toMatch(/ containerd:\/\/1\.\d+/);
  expect(await type(images)).toMatch(/^nameserver 10\./m);
  // A pod that runs says so a moment later.
  await expect.poll(() => type('kubectl logs hello\n')).toContain('hello from containerd');
  expect(await type(stop)).toContain('the cluster is down');
  const address = containerd.endpoint.replace('unix://', '');
  const list = ['--address', address, '-n', 'k8s.io', 'containers', 'ls', '-q'];
  const sandboxes = await place.host.run('ctr', list);
  expect(sandboxes).toMatchObject({ code: 0, stdout: '' });
}, 600_000);
