// What goes wrong while an expression is evaluated.
// Invariant: a CelError may be absorbed by `||`, `&&` and the like; a CostExceeded never is.

/** An evaluation that has no value: `no such key: x`. */
export class CelError extends Error {
  override readonly name = 'CelError';

  constructor(message: string) {
    const depth = Error.stackTraceLimit;
    // Rules fail often and on purpose; a stack trace would cost more than the rule.
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = depth;
  }
}

/** An evaluation that costs too much, alone or with those before it. */
export class CostExceeded extends Error {
  override readonly name = 'CostExceeded';
  /** Of one evaluation, or of all of this request. */
  readonly scope: 'call' | 'request';

  constructor(scope: 'call' | 'request') {
    super('operation cancelled: actual cost limit exceeded');
    this.scope = scope;
  }
}

/** The error of arguments that no overload takes. */
export function noSuchOverload(): CelError {
  return new CelError('no such overload');
}
