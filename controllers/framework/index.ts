// `pinnace/controllers`: the framework for controllers of one's own. Inside, files are imported by themselves.
export type { FieldError } from '../../api/field-error.ts';
export { keyOf } from '../../api/meta/object.ts';
export { Figures } from '../../base/figures.ts';
export { ElectionFigures } from '../../client/election/election-figures.ts';
export { QueueFigures } from '../../client/workqueue/queue-figures.ts';
export {
  type BuilderContext,
  type ControllerBuilder,
  controllerFor,
  type MapContext,
  type MapToKeys,
  type ReconcileObject,
} from './builder.ts';
export { type Claim, claimAll, indexForClaims } from './claim.ts';
export {
  type ConditionFields,
  findCondition,
  isConditionTrue,
  type NewCondition,
  withCondition,
  withoutCondition,
} from './conditions.ts';
export { covers } from './covers.ts';
export { Expectations } from './expectations.ts';
export {
  addFinalizer,
  type FinalizerSteps,
  hasFinalizer,
  reconcileWithFinalizer,
  removeFinalizer,
} from './finalizers.ts';
export type { KindsAsNeeded, WatchAsNeeded } from './kinds-as-needed.ts';
export { defineKind, type KindOptions, type OtherVersion } from './kinds/define-kind.ts';
export {
  anything,
  conditions,
  duration,
  embeddedObject,
  intOrString,
  listMap,
  listSet,
  quantity,
  timestamp,
} from './kinds/fields.ts';
export { type Installable, installKinds, type InstallOptions } from './kinds/install.ts';
export { type DefinitionOptions, isKind, type Kind, type KindVersion } from './kinds/kind.ts';
export { KindError, type KindFault } from './kinds/kind-error.ts';
export type { ObjectOf, SpecOf, StatusOf } from './kinds/object-types.ts';
export { checkRoundTrips, RoundTripError, type RoundTripOptions } from './kinds/round-trips.ts';
export { type ControllerCounters, type ControllerHooks, runController } from './loop.ts';
export { madeOrNeedless } from './made-or-needless.ts';
export { type ControllersOptions, type LeaderElection, runControllers } from './manager.ts';
export { EXIT_CODES } from './operator/operator-failure.ts';
export type { HealthOptions } from './operator/health-server.ts';
export type { OperatorOptions, OperatorPart, PartContext } from './operator/options.ts';
export { OPERATOR_STOP_MS, runOperator } from './operator/run-operator.ts';
export {
  controlledBy,
  controllerKeys,
  indexByController,
  isControlledBy,
  ownerReferenceFor,
} from './owner.ts';
export {
  annotationsChanged,
  anyOf,
  type ChangePredicate,
  generationChanged,
  labelsChanged,
  resourceVersionChanged,
} from './predicates.ts';
export { isPodActive, isPodReady, isPodTerminal } from './pod-state.ts';
export { ReconcileFigures } from './reconcile-figures.ts';
export {
  type ControllerContext,
  type ControllerFactory,
  type ControllerSpec,
  done,
  type EventRecorder,
  type ObjectChange,
  type ReconcileContext,
  requeueAfter,
  type Result,
  source,
  type Source,
  TerminalError,
} from './reconciler.ts';
export { type StatusTarget, writeStatus } from './status-writer.ts';
export {
  type AdmissionRequest,
  type AdmissionTools,
  allow,
  type Allowed,
  type AnswerNotes,
  type Denied,
  deny,
  type DenyOptions,
  type Operation,
} from './webhooks/admission.ts';
export { certificatesInFiles, type FileCertificatesOptions } from './webhooks/certificate-files.ts';
export {
  certificatesInSecret,
  type SecretCertificatesOptions,
} from './webhooks/certificate-secret.ts';
export type { CertificateSource, ServedCertificate } from './webhooks/certificate-source.ts';
export {
  type ConfigurationObject,
  type ConfigurationOptions,
  webhookConfigurations,
  type WebhookService,
} from './webhooks/configurations.ts';
export {
  type ConversionFunctions,
  type ConversionWebhook,
  converting,
} from './webhooks/conversion.ts';
export type { Webhook } from './webhooks/review-desk.ts';
export { type ServeOptions, serveWebhooks, type WebhookServer } from './webhooks/server.ts';
export { type StartedPart, startPart } from './webhooks/start-part.ts';
export {
  type AdmissionWebhook,
  mutating,
  type MutatingOptions,
  type Mutation,
  validating,
  type ValidatingOptions,
  type WebhookSettings,
} from './webhooks/webhook.ts';
export {
  webhookServer,
  type WebhookContext,
  type WebhookServerOptions,
  type WebhookServerPart,
} from './webhooks/webhook-server.ts';
