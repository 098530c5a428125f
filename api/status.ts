// The one error type of the API: a Status, as a throwable. Every failure a client sees is made here.
// Reasons and codes: Kubernetes API conventions, "Response Status Kind".

/** Machine-readable reasons of upstream's StatusReason that this server gives. */
export type StatusReason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'Invalid'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'Timeout'
  | 'ServerTimeout';

/** The HTTP code of each reason. */
export const STATUS_CODES: Readonly<Record<StatusReason, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 504,
};

/** Reasons whose Status has `details` even when there is nothing to say in them: clients look into it unasked. */
const DETAILED: ReadonlySet<StatusReason> = new Set([
  'Forbidden',
  'NotFound',
  'MethodNotAllowed',
  'AlreadyExists',
  'Conflict',
  'Invalid',
  'TooManyRequests',
  'InternalError',
  'Timeout',
  'ServerTimeout',
]);

/** One cause of a failure; `field` is a path such as `spec.containers[0].image`. */
export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** What a failure is about. */
export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** A Status as it is on the wire. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

/** The parts of a failure that are not fixed by its reason. */
export interface StatusErrorOptions {
  readonly details?: StatusDetails;
  /** The wire reason where it is none of ours (an answer from another server). */
  readonly code?: number;
  readonly cause?: unknown;
  /** A fresh token for a client whose `continue` token expired. */
  readonly continueToken?: string;
}

/** A failure that a client is to see, or saw. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly reason: StatusReason;
  readonly code: number;
  readonly details: StatusDetails | undefined;
  readonly continueToken: string | undefined;

  constructor(reason: StatusReason, message: string, options: StatusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.code = options.code ?? STATUS_CODES[reason];
    this.details = options.details;
    this.continueToken = options.continueToken;
  }

  /** The wire form. */
  toStatus(): Status {
    const details = this.details ?? (DETAILED.has(this.reason) ? {} : undefined);
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continueToken ? { continue: this.continueToken } : {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(details ? { details } : {}),
      code: this.code,
    };
  }

  /** The error that a failure Status off the wire stands for; unknown reasons go by their code. */
  static fromStatus(status: Partial<Status>, httpCode?: number): StatusError {
    const code = status.code ?? httpCode ?? 500;
    const known = status.reason !== undefined && status.reason in STATUS_CODES;
    const reason = known ? (status.reason as StatusReason) : reasonOfCode(code);
    return new StatusError(reason, status.message ?? `the server answered ${code}`, {
      code,
      ...(status.details ? { details: status.details } : {}),
      ...(status.metadata?.continue ? { continueToken: status.metadata.continue } : {}),
    });
  }
}

function reasonOfCode(code: number): StatusReason {
  for (const [reason, known] of Object.entries(STATUS_CODES))
    if (known === code) return reason as StatusReason;
  return 'InternalError';
}

/** The group and plural (for `details.kind` and the message) of what a failure is about. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
}

function qualified(resource: ResourceName): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

function about(resource: ResourceName, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

/** 404 for an object that does not exist. */
export function notFound(resource: ResourceName, name: string): StatusError {
  return new StatusError('NotFound', `${qualified(resource)} "${name}" not found`, {
    details: about(resource, name),
  });
}

/** 409 for a create of a name that is taken. */
export function alreadyExists(resource: ResourceName, name: string): StatusError {
  return new StatusError('AlreadyExists', `${qualified(resource)} "${name}" already exists`, {
    details: about(resource, name),
  });
}

/** 409 for a write that rests on an old state. */
export function conflict(resource: ResourceName, name: string, why?: string): StatusError {
  const reason =
    why ??
    'the object has been modified; please apply your changes to the latest version and try again';
  return new StatusError(
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${reason}`,
    { details: about(resource, name) },
  );
}

/** 403 with the text clients know: who may not do what. */
export function forbidden(resource: ResourceName, name: string, why: string): StatusError {
  const named = name === '' ? '' : ` "${name}"`;
  return new StatusError('Forbidden', `${qualified(resource)}${named} is forbidden: ${why}`, {
    details: about(resource, name),
  });
}

/** The cause of a refusal in a namespace that is ending; clients look for it. */
const NAMESPACE_TERMINATING = 'NamespaceTerminating';

/** 403 for a create in a namespace that is being deleted. */
export function namespaceTerminating(
  resource: ResourceName,
  name: string,
  namespace: string,
): StatusError {
  const what = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { message, details } = forbidden(resource, name, what);
  const cause = {
    reason: NAMESPACE_TERMINATING,
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  return new StatusError('Forbidden', message, { details: { ...details, causes: [cause] } });
}

/** 400. */
export function badRequest(message: string): StatusError {
  return new StatusError('BadRequest', message);
}

/** 405, in the words clients know. */
export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return new StatusError('MethodNotAllowed', message);
}

/** 410 for a resourceVersion or continue token that history no longer covers. */
export function expired(message: string, continueToken?: string): StatusError {
  return new StatusError('Expired', message, continueToken ? { continueToken } : {});
}

function hasReason(error: unknown, ...reasons: StatusReason[]): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause)
    if (e instanceof StatusError) return reasons.includes(e.reason);
  return false;
}

/** Does the error, or what caused it, mean that the object is not there? */
export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound');
/** … that the name is taken? */
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists');
/** … that the write rested on an old state? */
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict');
/** … that history no longer covers the asked revision? */
export const isExpired = (error: unknown): boolean => hasReason(error, 'Expired', 'Gone');
/** … that nothing can be created there, since the namespace is being deleted? Where one is given: since it is that one. */
export function isNamespaceTerminating(error: unknown, namespace?: string): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause)
    if (e instanceof StatusError)
      return (
        e.details?.causes?.some(
          ({ reason, message = '' }) =>
            reason === NAMESPACE_TERMINATING &&
            // No field of a cause has the name: it is a word of the message.
            (namespace === undefined || message.split(' ').includes(namespace)),
        ) ?? false
      );
  return false;
}
/** … that the object breaks its kind's rules? */
export const isInvalid = (error: unknown): boolean => hasReason(error, 'Invalid');
/** … that the caller may not do this? */
export const isForbidden = (error: unknown): boolean => hasReason(error, 'Forbidden');
/** … that the server does not know who calls? */
export const isUnauthorized = (error: unknown): boolean => hasReason(error, 'Unauthorized');
/** … that it is too much for now: of requests, or of disruptions where a pod was to be evicted? */
export const isTooManyRequests = (error: unknown): boolean => hasReason(error, 'TooManyRequests');
/** … that the server was not done in time? What was asked for may have happened all the same. */
export const isTimeout = (error: unknown): boolean => hasReason(error, 'Timeout', 'ServerTimeout');
