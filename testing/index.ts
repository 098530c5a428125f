// `pinnace/testing`: whole clusters in one process, for tests of controllers. Inside, files are imported by themselves.
export { VirtualClock } from '../base/virtual-clock.ts';
export type { FakeImageStore } from '../kubelet/runtime/fake/fake-images.ts';
export type { FakeRuntime } from '../kubelet/runtime/fake/fake-runtime.ts';
export type { Life } from '../kubelet/runtime/fake/life.ts';
export type { ListeningCluster } from './cluster/listen.ts';
export type { TestClusterOptions } from './cluster/options.ts';
export type { RunningProgram } from './cluster/program.ts';
export {
  type RunOptions,
  startCluster,
  type TestClient,
  type TestCluster,
} from './cluster/start-cluster.ts';
export * from './simulation/index.ts';
export * from './traffic/index.ts';
export {
  eventually,
  eventuallyGone,
  eventuallyList,
  type Wanted,
  type WantedOfList,
  type Where,
  type WhichOf,
} from './eventually/eventually.ts';
export { EventuallyError } from './eventually/failure.ts';
export type { ClockedClient, WaitOptions } from './eventually/wait.ts';
export { type Fault, type FaultRule, faults, type FaultTarget } from './faults/fault.ts';
export type { InjectedFault } from './faults/fault-plan.ts';
export { type FaultsOptions, type FaultyClient, withFaults } from './faults/with-faults.ts';
export type { FakeNode } from './nodes/fake-node.ts';
export type { FakeNodeOptions } from './nodes/options.ts';
export type { ContainerOfPod, LivesOf, Load, PodLife } from './nodes/pod-life.ts';
