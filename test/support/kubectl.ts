// The real kubectl, run inside a test cluster's namespace. Its home is the cluster's own, so nothing of the host's leaks in.
// Invariant: no call outlives its ceiling; a follower (`-w`, `-f`) ends with stop().
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { HostNamespace, Outcome, RunHow } from '../../tools/host-namespace.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CLIENTS = join(ROOT, 'node_modules', '.cache', 'clients');
/** The newer of the binaries that the repository brings along, and the one that is used unless a test says otherwise. */
export const KUBECTL = join(CLIENTS, 'kubectl');

/** A version of kubectl. */
export interface KubectlVersion {
  /** Major and minor, such as `1.35`. */
  readonly version: string;
  readonly binary: string;
  /** A word for names of objects, different for each version. */
  readonly word: string;
}

/** Every version that the repository brings along, newest first. */
export const KUBECTL_VERSIONS: readonly KubectlVersion[] = [
  { version: '1.35', binary: KUBECTL, word: 'new' },
  { version: '1.32', binary: join(CLIENTS, '1.32', 'kubectl'), word: 'old' },
];

const CEILING_MS = 120_000;

/** A running kubectl whose output is read as it comes. */
export interface Follower {
  /** Everything said so far. */
  readonly text: () => string;
  /** Resolves once the output matches. */
  says(pattern: RegExp): Promise<string>;
  /** Writes to its standard input. */
  type(text: string): void;
  /** Its exit code, when it ends by itself. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

/** kubectl against one cluster. */
export interface Kubectl {
  /** Runs to the end, whatever the exit code. */
  run(args: readonly string[], how?: RunHow): Promise<Outcome>;
  /** Standard output of a call that must succeed. */
  ok(args: readonly string[], how?: RunHow): Promise<string>;
  /** Parsed `-o json` of a call that must succeed. */
  json(args: readonly string[]): Promise<any>; // oxlint-disable-line no-explicit-any
  /** `kubectl apply -f -` of objects or YAML. */
  apply(what: string | object | readonly object[]): Promise<string>;
  /** `kubectl wait` with a generous ceiling. */
  wait(...args: readonly string[]): Promise<void>;
  follow(args: readonly string[], program?: readonly string[]): Follower;
  /** The same with another kubeconfig or binary, or more variables in its environment. */
  with(other: Pick<Partial<KubectlOptions>, 'kubeconfig' | 'binary' | 'env'>): Kubectl;
}

interface KubectlOptions {
  readonly host: Pick<HostNamespace, 'run' | 'start'>;
  readonly kubeconfig: string;
  readonly home: string;
  readonly binary?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** kubectl for a cluster. */
export function kubectlFor(options: KubectlOptions): Kubectl {
  const { host, kubeconfig, home, binary = KUBECTL } = options;
  // What it leaves in its temporary folder, such as refused edits, goes with the cluster.
  const env = {
    KUBECONFIG: kubeconfig,
    HOME: home,
    TMPDIR: home,
    KUBECTL: binary,
    ...options.env,
  };
  const run: Kubectl['run'] = (args, how = {}) =>
    host.run(binary, args, { ...how, env: { ...env, ...how.env } });
  const ok: Kubectl['ok'] = async (args, how) => {
    const { code, stdout, stderr } = await run(args, how);
    if (code !== 0)
      throw new Error(`kubectl ${args.join(' ')}: exit ${code}\n${stdout}\n${stderr}`);
    return stdout;
  };
  return {
    run,
    ok,
    json: async (args) => JSON.parse(await ok([...args, '-o', 'json'])) as unknown,
    apply: (what) => ok(['apply', '-f', '-'], { input: documentsOf(what) }),
    wait: async (...args) => {
      await ok(['wait', `--timeout=${CEILING_MS / 1000}s`, ...args], {
        timeoutMs: CEILING_MS + 5_000,
      });
    },
    follow: (args, [program, ...before] = []) =>
      follower(host.start(program ?? binary, [...before, ...args], { env })),
    with: (other) => kubectlFor({ ...options, ...other }),
  };
}

/** YAML text of what is to be applied. JSON is YAML; the first line keeps kubectl 1.32 from taking it for JSON alone, which ends at the next `---`. */
export function documentsOf(what: string | object | readonly object[]): string {
  if (typeof what === 'string') return what;
  const all = Array.isArray(what) ? (what as readonly object[]) : [what];
  return all.map((one) => `---\n${JSON.stringify(one)}`).join('\n');
}

function follower(child: ChildProcess): Follower {
  let text = '';
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      changed();
    });
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<number>((resolve) =>
    child.once('close', (code) => {
      resolve(code ?? -1);
      changed();
    }),
  );
  let over = false;
  void ended.then(() => {
    over = true;
    changed();
  });
  const says = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const give = (end: () => void) => {
        clearTimeout(timer);
        listeners.delete(look);
        end();
      };
      const refuse = (why: string) =>
        give(() => reject(new Error(`${why}: waiting for ${pattern}; it said:\n${text}`)));
      const timer = setTimeout(() => refuse('too late'), CEILING_MS);
      const look = () => {
        const found = pattern.exec(text);
        if (found) give(() => resolve(found[0]));
        else if (over) refuse('it ended');
      };
      listeners.add(look);
      look();
    });
  return {
    text: () => text,
    says,
    type: (typed) => void child.stdin?.write(typed),
    ended,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
