// `pinnace/controllers`: the framework for controllers of one's own. Inside, files are imported by themselves.
export { controllerFor } from './builder.ts';
export { findCondition, isConditionTrue, withCondition, withoutCondition } from './conditions.ts';
export { Expectations } from './expectations.ts';
export {
  addFinalizer,
  hasFinalizer,
  reconcileWithFinalizer,
  removeFinalizer,
} from './finalizers.ts';
export { runController } from './loop.ts';
export { runControllers } from './manager.ts';
export {
  controlledBy,
  controllerKeys,
  indexByController,
  isControlledBy,
  ownerReferenceFor,
} from './owner.ts';
export {
  type ControllerContext,
  type ControllerFactory,
  type ControllerSpec,
  done,
  type EventRecorder,
  requeueAfter,
  type Result,
  source,
  TerminalError,
} from './reconciler.ts';
export { writeStatus } from './status-writer.ts';
