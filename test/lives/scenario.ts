// The form of a scenario: a pod's life as people tell it. What is applied, what happens, and what is seen meanwhile, as data.
// Every scenario runs on every runtime unless it says which; the words expected are upstream's. README.md tells how to write one.
import { pid } from 'node:process';
import type { ContainerState, ContainerStatus, Pod, PodSpec } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { KubeletConfiguration } from '../../kubelet/configuration.ts';
import type { PodLife } from '../../testing/nodes/pod-life.ts';
import type { DeepPartial } from '../../client/rest/client.ts';
import { SHELL_IMAGE } from '../support/tiny-images.ts';
import type { Pattern } from './patterns.ts';
import type { Play, PlayByAttempt } from './play.ts';
import type { Witness } from './running/witness.ts';

/** What runs the pods. */
export type Runtime = 'fake' | 'embedded' | 'containerd';

/** The runtimes on which there are processes, files and sockets. */
export const REAL: readonly Runtime[] = ['embedded', 'containerd'];

/** Where scenarios of real runtimes may write on the host; there while those of this process run, and gone with the last one. */
export const HOST_FOLDER = `/tmp/pinnace-lives-${pid}`;

/** Parts of a pod; those of its `status` are looked at first where a pattern names fields of the status alone. */
export type StatusPattern = Pattern<NonNullable<Pod['status']>>;

/** An event about the pod. */
export interface EventPattern {
  readonly type?: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message?: string | RegExp;
  /** The part of the pod that it is about. */
  readonly involvedObject?: { readonly fieldPath: string };
}

/** A pod as a scenario writes it. */
export interface ScenarioPod {
  readonly metadata?: Pod['metadata'] | { readonly [field: string]: unknown };
  readonly spec: PodSpec;
}

/** One thing that happens, or that is waited for. `pod` names another than the scenario's own. */
export type Step = { readonly pod?: string } & (
  | { readonly until: StatusPattern }
  /** Waits until this was seen of it. */
  | { readonly event: EventPattern }
  /** Waits until the container's log has the line. */
  | { readonly log: string | RegExp; readonly of?: string; readonly previous?: boolean }
  /** Runs a command in a running container. */
  | {
      readonly exec: readonly string[];
      readonly of?: string;
      readonly exitCode?: number;
      readonly stdout?: string | RegExp;
      readonly stderr?: string | RegExp;
    }
  /** Sends a signal to the first process of a container from outside; where nothing is said, SIGKILL. */
  | { readonly kill: string; readonly signal?: NodeJS.Signals }
  | { readonly patch: object }
  | { readonly resize: object }
  | { readonly attachEphemeral: object }
  | { readonly apply: KubeObject }
  | { readonly remove: KubeObject }
  | { readonly delete: true; readonly gracePeriodSeconds?: number }
  | { readonly evict: true; readonly gracePeriodSeconds?: number }
  /** Waits until it is not in the API any more. */
  | { readonly gone: true }
  /** The agent dies as by `kill -9`, and comes back. */
  | { readonly restartAgent: true }
  /** Is so at each moment of so many seconds, virtual ones on the fake runtime. */
  | { readonly stays: StatusPattern; readonly seconds: number }
  /** What cannot be said otherwise. */
  | { readonly check: (witness: Witness) => Promise<void> | void; readonly why: string }
);

/** A pod's life. */
export interface Scenario {
  /** A sentence of behaviour: `an init container that fails is started again until it succeeds`. */
  readonly name: string;
  /** Every runtime unless given. */
  readonly on?: readonly Runtime[];
  /** Runs by itself, as it does something to the whole node. */
  readonly alone?: true;
  /** How the node is configured; a scenario that says so has a node of its own on the fake runtime, and runs on no other. */
  readonly node?: Partial<KubeletConfiguration>;
  /** What is there before: ConfigMaps, Secrets, other pods. */
  readonly objects?: readonly KubeObject[];
  readonly pod: ScenarioPod;
  /** What containers do, by name; those that are not named have their own command, or the image's. */
  readonly plays?: Readonly<Record<string, Play | PlayByAttempt>>;
  /** More of containers' lives, where the fake runtime plays what a play cannot say: pulls, probes, loads. */
  readonly lives?: Readonly<Record<string, PodLife>>;
  /** The API server refuses the pod with these words: nothing else happens. */
  readonly refused?: RegExp;
  readonly steps: readonly Step[];
  /** Seen one after the other, in this order, others between them. */
  readonly statuses?: readonly StatusPattern[];
  /** As `statuses`, but over by themselves: an agent that is held up tells them together with what follows. Held where time is played. */
  readonly brief?: readonly StatusPattern[];
  /** Never seen. */
  readonly never?: readonly StatusPattern[];
  /** Each seen by the end, in this order as far as they happen at different moments. */
  readonly events?: readonly EventPattern[];
  readonly noEvents?: readonly EventPattern[];
  /** Lines that a container's log has at the end, in this order. */
  readonly logs?: Readonly<Record<string, readonly (string | RegExp)[]>>;
}

/** Seconds that a probe waits for its answer, where nothing is said of how long that takes. */
export const PATIENT_S = 20;
/** A probe that asks each second whether a file is there. */
export const whenFile = (path: string, more: object = {}) => ({
  exec: { command: ['cat', path] },
  periodSeconds: 1,
  timeoutSeconds: PATIENT_S,
  ...more,
});

/** A pod of one container `main` of the test's shell image. */
export function aPod(
  spec: DeepPartial<PodSpec> = {},
  container: object = {},
  metadata: object = {},
): ScenarioPod {
  const main = { name: 'main', image: SHELL_IMAGE, ...container };
  return {
    metadata,
    spec: { terminationGracePeriodSeconds: 20, containers: [main], ...spec } as PodSpec,
  };
}

/** A container of the test's shell image. */
export const aContainer = (name: string, more: object = {}) => ({
  name,
  image: SHELL_IMAGE,
  ...more,
});

/** A ConfigMap or Secret, for `objects`. */
export const configMap = (name: string, data: Record<string, string>, more: object = {}) =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data, ...more }) as KubeObject;
export const secret = (name: string, stringData: Record<string, string>, more: object = {}) =>
  ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData, ...more }) as KubeObject;

type ContainerPattern = Pattern<ContainerStatus>;
const of = (name: string, parts: object) => ({ name, ...parts }) as ContainerPattern;

/** Patterns of statuses: of a container by name, of conditions, of phases. */
export const container = (name: string, parts: object): StatusPattern => ({
  containerStatuses: [of(name, parts)],
});
export const init = (name: string, parts: object): StatusPattern => ({
  initContainerStatuses: [of(name, parts)],
});
export const ephemeral = (name: string, parts: object): StatusPattern => ({
  ephemeralContainerStatuses: [of(name, parts)],
});
export const condition = (
  type: string,
  status: 'True' | 'False',
  why: { readonly reason?: string; readonly message?: string | RegExp } = {},
): StatusPattern => ({ conditions: [{ type, status, ...why }] });
export const phase = (is: string, reason?: string, message?: string | RegExp): StatusPattern => ({
  phase: is,
  ...(reason === undefined ? {} : { reason }),
  ...(message === undefined ? {} : { message }),
});

/** Parts of a container's status. */
export const running = { state: { running: {} } };
export const ended = (exitCode: number, reason?: string | RegExp, message?: string | RegExp) => ({
  state: terminated(exitCode, reason, message),
});
export const endedBefore = (
  exitCode: number,
  reason?: string | RegExp,
  message?: string | RegExp,
) => ({
  lastState: terminated(exitCode, reason, message),
});
export const waiting = (reason: string, message?: string | RegExp) => ({
  state: { waiting: { reason, ...(message === undefined ? {} : { message }) } },
});
const terminated = (
  exitCode: number,
  reason?: string | RegExp,
  message?: string | RegExp,
): Pattern<ContainerState> => ({
  terminated: {
    exitCode,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  },
});

/** The program of a container ends, and by its play well: what it held up goes on, once it was looked at. */
export const endsWell = (container: string): Step => ({ kill: container, signal: 'SIGTERM' });

/** What most scenarios wait for. */
export const ready = condition('Ready', 'True');
export const unready = condition('Ready', 'False');
export const succeeded = phase('Succeeded');
export const failed = phase('Failed');

/** All of the patterns at once. */
export function both(...patterns: readonly StatusPattern[]): StatusPattern {
  return patterns.reduce<Record<string, unknown>>(merged, {}) as StatusPattern;
}

/** Lists are joined: each of their patterns finds its own element. */
function merged(one: object, other: object): Record<string, unknown> {
  const result: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const known = result[key];
    result[key] = Array.isArray(known) && Array.isArray(value) ? [...known, ...value] : value;
  }
  return result;
}
