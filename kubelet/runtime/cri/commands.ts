// Commands in containers: to their end, with live streams, and attaching to the container itself.
// Invariant: each has an end in time, or a connection that ends it.
import type { Clock } from '../../../base/clock.ts';
import { type ExecResult, type ExecSession, RuntimeError } from '../runtime.ts';
import { failingAs, messageOf } from './failures.ts';
import { CALL_TIMEOUT_MS, GrpcError, type GrpcConnection } from './grpc.ts';
import { RUNTIME } from './services.ts';
import { openSession, withoutPrefix } from './streaming.ts';
import type { RuntimeView } from './view.ts';

const MS_PER_SECOND = 1_000;
/** How long an end may take to be known after the streams of the container have ended: what runs on by then is told as ended well. */
const END_CEILING_MS = 10_000;

/** What they are run with. */
export interface CommandDoors {
  readonly connection: () => GrpcConnection;
  readonly view: RuntimeView;
  readonly clock: Clock;
}

/** Commands in the containers of a view. */
export class CriCommands {
  readonly #doors: CommandDoors;

  constructor(doors: CommandDoors) {
    this.#doors = doors;
  }

  /** CRI counts whole seconds; a part of one is a whole one. */
  async execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult> {
    this.#doors.view.running(id);
    const timeout = Math.max(1, Math.ceil(timeoutMs / MS_PER_SECOND));
    try {
      return await this.#doors
        .connection()
        .call(
          RUNTIME.execSync,
          { id, cmd: command, timeout },
          { timeoutMs: CALL_TIMEOUT_MS + timeout * MS_PER_SECOND },
        );
    } catch (error) {
      const late = error instanceof GrpcError && error.code === 'DEADLINE_EXCEEDED';
      const reason = late ? 'ExecTimeout' : 'ExecError';
      throw new RuntimeError(reason, withoutPrefix(messageOf(error)), error);
    }
  }

  async exec(
    id: string,
    { command: cmd, tty, stdin }: { command: readonly string[]; tty: boolean; stdin: boolean },
  ): Promise<ExecSession> {
    const { view, connection, clock } = this.#doors;
    view.running(id);
    const request = { id, cmd, tty, stdin, stdout: true, stderr: !tty };
    const { url } = await failingAs('ExecError', () => connection().call(RUNTIME.exec, request));
    return openSession(url, { tty, stdin }, clock);
  }

  /** Runtimes do not tell how what was attached to has ended: its status does. 0 where it runs on. */
  async attach(id: string, { stdin }: { stdin: boolean }): Promise<ExecSession> {
    const { view, connection, clock } = this.#doors;
    const { notes, status } = view.running(id);
    const { tty } = notes;
    const request = { id, tty, stdin, stdout: true, stderr: !tty };
    const { url } = await failingAs('ExecError', () => connection().call(RUNTIME.attach, request));
    const session = await openSession(url, { tty, stdin }, clock);
    const exit = session.exit.then(async () => {
      await view.refresh(id, status.sandboxId);
      const now = await view.ended(id, END_CEILING_MS);
      return now?.exitCode ?? 0;
    });
    exit.catch(() => undefined);
    return { ...session, exit };
  }
}
