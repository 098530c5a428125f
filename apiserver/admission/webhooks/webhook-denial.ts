// A webhook's no as the caller sees it: the Status that the webhook wrote, with who it comes from in front.
// Invariant: whatever a webhook writes, the answer is a failure with a code that HTTP has.
import { type Status, type StatusDetails, StatusError } from '../../../api/status.ts';

const BAD_REQUEST = 400;
const INTERNAL_ERROR = 500;
const LAST_CODE = 599;

/** A refusal by a webhook. Its reason on the wire is the webhook's own, or none. */
export class WebhookDenial extends StatusError {
  readonly #reason: string | undefined;

  constructor(webhook: string, said: Readonly<Record<string, unknown>>) {
    const { reason, message, code, details } = textFields(said);
    const why = message ?? reason;
    const text = `admission webhook "${webhook}" denied the request`;
    const { reason: known } = StatusError.fromStatus({ code, ...(reason ? { reason } : {}) }, code);
    super(known, why === undefined ? `${text} without explanation` : `${text}: ${why}`, {
      code,
      ...(details ? { details } : {}),
    });
    this.#reason = reason;
  }

  override toStatus(): Status {
    const { reason: _, details: __, ...status } = super.toStatus();
    return {
      ...status,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      ...(this.details ? { details: this.details } : {}),
    };
  }
}

function textFields(said: Readonly<Record<string, unknown>>) {
  const textOf = (value: unknown) => (typeof value === 'string' && value ? value : undefined);
  const { details } = said;
  return {
    reason: textOf(said['reason']),
    message: textOf(said['message']),
    code: codeOf(said['code']),
    details:
      typeof details === 'object' && details !== null && !Array.isArray(details)
        ? (details as StatusDetails)
        : undefined,
  };
}

/** A refusal is no success, and no code that HTTP does not have. */
function codeOf(code: unknown): number {
  if (typeof code !== 'number' || !Number.isInteger(code) || code < BAD_REQUEST) return BAD_REQUEST;
  return code > LAST_CODE ? INTERNAL_ERROR : code;
}
