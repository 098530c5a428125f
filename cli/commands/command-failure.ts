// Failures of a command as the user meets them: what was refused, by whom, in one line each; never a stack.
// Invariant: whatever can fail by itself is tried and told by itself; a failure of one hides no other.
import { isNotFound, StatusError } from '../../api/status.ts';
import { KubeconfigError } from '../../client/kubeconfig/kubeconfig.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import { connectionProblem } from '../../client/transport/connection-problem.ts';

/** A command that could not do what it was asked: shown as `error: MESSAGE`; exit status 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** Several things that failed, each told by itself. */
class CommandFailures extends Error {
  override readonly name = 'CommandFailures';
  readonly failures: readonly unknown[];

  constructor(failures: readonly unknown[]) {
    super(`${failures.length} failed`);
    this.failures = failures;
  }
}

/** A failure, and what was being done: `error when creating "web.yaml"`. */
class FailureWhile extends Error {
  override readonly name = 'FailureWhile';
  readonly doing: string;

  constructor(doing: string, cause: unknown) {
    super(`${doing}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.doing = doing;
  }
}

/** The same failure, told with what was being done when a server refused it. */
export function failureWhile(doing: string, error: unknown): unknown {
  return error instanceof StatusError ? new FailureWhile(doing, error) : error;
}

/** Goes on after what fails, and throws all of it at the end; what is not found is no failure where that is asked. */
export class Attempts {
  readonly #failures: unknown[] = [];
  readonly #ignoreNotFound: boolean;

  constructor(ignoreNotFound = false) {
    this.#ignoreNotFound = ignoreNotFound;
  }

  /** Has anything failed so far? */
  get anyFailed(): boolean {
    return this.#failures.length > 0;
  }

  /** What `attempt` answers; undefined when it failed. */
  async make<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    try {
      return await attempt();
    } catch (error) {
      if (this.#ignoreNotFound && isNotFound(error)) return undefined;
      this.#failures.push(error);
      // A server that is away is away for the rest, too.
      if (error instanceof ConnectionError) this.end();
      return undefined;
    }
  }

  /** Notes a failure. */
  failed(error: unknown): void {
    this.#failures.push(error);
  }

  /** Throws what failed, if anything did. */
  end(): void {
    if (this.#failures.length > 0) throw new CommandFailures(this.#failures);
  }
}

/** A server that could not be reached: told without `error:`, as kubectl does, and with a way out. */
class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The failure, where it is one of the connection told with the server (its URL) that it was to. */
export function failureAt(server: string, error: unknown): unknown {
  if (error instanceof CommandFailures)
    return new CommandFailures(error.failures.map((each) => failureAt(server, each)));
  if (!(error instanceof ConnectionError)) return error;
  const problem = connectionProblem(error, server);
  const refused = error.code === 'ECONNREFUSED';
  return new Unreachable(refused ? `${problem}\n${WAY_OUT}` : problem, { cause: error });
}

const WAY_OUT =
  '(`npx pinnace up` starts a cluster on this machine; KUBECONFIG or --kubeconfig names another)';

/** The lines to show for a failure of use; undefined when it is a defect, whose stack is wanted. */
export function failureLines(error: unknown): string[] | undefined {
  if (error instanceof CommandFailures) return linesOfAll(error.failures);
  if (error instanceof FailureWhile) {
    const { cause, doing } = error;
    return [`Error from server (${(cause as StatusError).reason}): ${doing}: ${messageOf(cause)}`];
  }
  if (error instanceof StatusError)
    return [`Error from server (${error.reason}): ${error.message}`];
  if (error instanceof Unreachable) return error.message.split('\n');
  if (error instanceof ConnectionError)
    return [`Unable to connect to the server: ${error.message}`];
  if (error instanceof CommandFailure || error instanceof KubeconfigError)
    return [`error: ${error.message}`];
  return undefined;
}

function linesOfAll(failures: readonly unknown[]): string[] {
  return failures.flatMap((failure) => failureLines(failure) ?? [`error: ${messageOf(failure)}`]);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
