// From what a test says of lives to what the fake runtime plays: who a container is, and what its loads depend on.
// Invariant: a life is asked for once, when its container is made.
import type { Container, Pod } from '../../api/generated/types.ts';
import type { FakePull } from '../../kubelet/runtime/fake/fake-images.ts';
import type { FakeRuntime } from '../../kubelet/runtime/fake/fake-runtime.ts';
import type { Life, Use } from '../../kubelet/runtime/fake/life.ts';
import type { ContainerConfig, PullRequest, SandboxConfig } from '../../kubelet/runtime/runtime.ts';
import type { LivingContainer } from './life-probes.ts';
import { lifeFrom, type LivesOf, type Load, namesImage, type PodLife } from './pod-life.ts';

/** What lives are made from. */
export interface LivesSource {
  readonly lives: LivesOf | undefined;
  /** `all`: every image can be pulled; `known`: only those that a table of lives names. */
  readonly images: 'all' | 'known';
  /** Wall time that loads count from. */
  readonly epochMs: number;
  /** A pod of the node; undefined while the agent knows of none. */
  podAt(namespace: string, name: string): Pod | undefined;
  readyBeside(pod: Pod): number;
}

/** The lives of one node. */
export class PlayedLives {
  readonly #source: LivesSource;
  readonly #played = new WeakMap<Life, PodLife>();

  constructor(source: LivesSource) {
    this.#source = source;
  }

  /** What a container that is made will do. */
  lifeOf(config: ContainerConfig, sandbox: SandboxConfig): Life {
    const pod = this.#podOf(sandbox);
    const { name, attempt, imageId } = config;
    const image = containersOf(pod).find((each) => each.name === name)?.image;
    const asked = { image: image ?? imageId.replace(/^fake:/, ''), name, pod, attempt };
    const life = lifeFrom(this.#source.lives, asked);
    const played = this.#playedAs(life, pod);
    this.#played.set(played, life);
    return played;
  }

  /** How the pull of an image goes; undefined where there is none of the name. */
  pullOf(image: string, { pod, container }: PullRequest): FakePull | undefined {
    const { lives, images } = this.#source;
    if (images === 'known' && !namesImage(lives, image)) return undefined;
    const life = lifeFrom(lives, { image, name: container.name, pod, attempt: 0 });
    return { ms: life.pullMs ?? 0, error: life.pullError };
  }

  /** A container of the runtime, as what answers its probes needs it. */
  find(runtime: FakeRuntime, containerId: string): LivingContainer | undefined {
    const found = runtime.look(containerId);
    const life = found && this.#played.get(found.life);
    const startedAtMs = found?.status.startedAtMs;
    return life && startedAtMs !== undefined ? { life, startedAtMs } : undefined;
  }

  #playedAs(life: PodLife, pod: Pod): Life {
    const { cpuNanoCores, memoryBytes, crashAfterMs, ...rest } = life;
    const crash = crashAfterMs === undefined ? {} : { exitAfterMs: crashAfterMs, exitCode: 1 };
    return {
      ...crash,
      ...rest,
      ...(cpuNanoCores !== undefined && { cpuNanoCores: this.#useOf(cpuNanoCores, pod) }),
      ...(memoryBytes !== undefined && { memoryBytes: this.#useOf(memoryBytes, pod) }),
    };
  }

  #useOf(load: Load, pod: Pod): Use {
    if (typeof load === 'number') return load;
    const source = this.#source;
    return (nowMs, startedAtMs) =>
      load(nowMs - source.epochMs, { pod, startedAtMs, readyPods: source.readyBeside(pod) });
  }

  /** While the agent knows the pod from its own notes only, its names are known all the same. */
  #podOf({ namespace, name, podUid, labels }: SandboxConfig): Pod {
    const known = this.#source.podAt(namespace, name);
    if (known?.metadata.uid === podUid) return known;
    const metadata = { namespace, name, uid: podUid, labels: { ...labels } };
    return { apiVersion: 'v1', kind: 'Pod', metadata };
  }
}

function containersOf({ spec }: Pod): readonly Pick<Container, 'name' | 'image'>[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
  return [...initContainers, ...containers, ...ephemeralContainers];
}
