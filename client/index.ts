// `pinnace/client`: what programs outside this repository import. Inside, files are imported by themselves.
export * from '../api/further-kinds.ts';
export type * from '../api/generated/types.ts';
export type { Endpoints as EndpointsObject } from '../api/generated/types.ts';
export type { KindRef } from '../api/kind-ref.ts';
export * from '../api/kinds.ts';
// Both a kind and the name of its objects' type; the name stays the kind's.
export { Endpoints } from '../api/kinds.ts';
export {
  fromLabelSelector,
  parseLabelSelector,
  type Selector,
  selectorFromMap,
} from '../api/meta/labels.ts';
export { keyOf, type KubeList, type KubeObject, type ObjectMeta } from '../api/meta/object.ts';
export {
  parseQuantity,
  type Quantity,
  quantityOf,
  toMilli,
  toWhole,
} from '../api/meta/quantity.ts';
export { formatTime, parseTime } from '../api/meta/time.ts';
export {
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  isTimeout,
  isTooManyRequests,
  isUnauthorized,
  StatusError,
  type StatusReason,
} from '../api/status.ts';
export { type ManifestDocument, parseManifest } from '../api/wire/manifest.ts';
export { type Clock, systemClock, type Timer } from '../base/clock.ts';
export { createLogger, type Logger, type LogLevel, silentLogger } from '../base/logger.ts';
export { type Random, seededRandom, systemRandom } from '../base/random.ts';
export {
  type DiscoveredResource,
  discover,
  type Discovery,
  type GroupVersion,
  resourceNamed,
  resourceOfKind,
  resourcesOfVersion,
} from './discovery/discovery.ts';
export { LeadershipLost } from './election/term.ts';
export {
  ClientEventRecorder,
  type EventCounters,
  type EventNote,
  type EventRecorderOptions,
} from './events/recorder.ts';
export * from './informer/indexes.ts';
export type {
  Informer,
  InformerFactory,
  InformerHandler,
  InformerScope,
  SubscribeOptions,
} from './informer/informer.ts';
export { createInformerFactory, type InformerReport } from './informer/informer-factory.ts';
export type {
  InformerCounters,
  InformerFactoryOptions,
  InformerTuning,
} from './informer/options.ts';
export { observingClient } from './informer/observing-client.ts';
export { type InClusterConfig, inClusterConfig, isInCluster } from './kubeconfig/in-cluster.ts';
export {
  KubeconfigError,
  loadKubeconfig,
  parseKubeconfig,
  type ResolvedKubeconfig,
} from './kubeconfig/kubeconfig.ts';
export { type LogOptions, podLogBytes, podLogs } from './pods/logs.ts';
export {
  connectToPod,
  type ForwardedPort,
  forwardPort,
  type ForwardOptions,
  type PodPort,
} from './pods/port-forward.ts';
export {
  attachToPod,
  type AttachOptions,
  type CommandInput,
  type CommandOutcome,
  execInPod,
  type ExecOptions,
  type TerminalSize,
} from './pods/remote-command.ts';
export type {
  Applied,
  ApplyOptions,
  CallOptions,
  Client,
  ClientOptions,
  DeepPartial,
  DeleteOptions,
  ListOptions,
  ObjectRef,
  Patch,
  ResourceClient,
  ServerWarning,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './rest/client.ts';
export { listAll, listPages } from './rest/list-all.ts';
export { createClient } from './rest/rest-client.ts';
export {
  addEphemeralContainer,
  type Approval,
  bindPod,
  evictPod,
  getScale,
  judgeCertificateRequest,
  requestToken,
  resizePod,
  setReplicas,
} from './rest/subresources.ts';
export { ConnectionError } from './transport/connection-error.ts';
export { connectionProblem } from './transport/connection-problem.ts';
export type { Credential, CredentialSource } from './transport/credentials.ts';
export { createHttpTransport } from './transport/http.ts';
export type {
  HttpLimits,
  HttpTransportOptions,
  Impersonation,
} from './transport/http-options.ts';
export { createInProcessTransport } from './transport/in-process.ts';
export type { Transport } from './transport/transport.ts';
