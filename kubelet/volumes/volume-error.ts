// Why a volume or an environment cannot be made yet; shown as the container's waiting state.

/** A missing or unfit part of a pod's configuration. It is tried again when something changes, and now and then. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Waiting reason: `CreateContainerConfigError` for containers, `FailedMount` for volumes. */
  readonly reason: 'CreateContainerConfigError' | 'FailedMount';

  constructor(reason: 'CreateContainerConfigError' | 'FailedMount', message: string) {
    super(message);
    this.reason = reason;
  }
}
