// Where a command's output goes: a stream that was given, or a text that is collected within a limit.
// Invariant: resolves a write when more may come; a stream that fails fails the write, and is never ended here.
import type { Writable } from 'node:stream';
import { ConnectionError } from '../transport/connection-error.ts';

/** How much of an output is collected where no stream takes it. */
export const MAX_COLLECTED_BYTES = 16 * 1024 * 1024;

/** One output of a command. */
export class Output {
  readonly #stream: Writable | undefined;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;
  readonly #onError = (error: Error): void => {
    this.#failure = error;
    this.#wake();
  };
  readonly #onDrain = (): void => this.#wake();

  constructor(stream: Writable | undefined) {
    this.#stream = stream;
    stream?.on('error', this.#onError).on('drain', this.#onDrain).on('close', this.#onDrain);
  }

  /** Takes bytes; resolves when there is room for more. Throws the stream's error, or ConnectionError beyond the limit. */
  async write(data: Uint8Array): Promise<void> {
    const stream = this.#stream;
    if (!stream) {
      this.#bytes += data.length;
      if (this.#bytes > MAX_COLLECTED_BYTES)
        throw new ConnectionError(
          'tooLarge',
          `the command says more than ${MAX_COLLECTED_BYTES} bytes; give a stream that takes them`,
        );
      this.#chunks.push(data);
      return;
    }
    if (!this.#failure && !stream.destroyed && !stream.write(data))
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#failure) throw this.#failure;
    if (stream.destroyed) throw new Error('the stream that takes the output was closed');
  }

  /** What was collected. */
  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /** Lets go of the stream. */
  release(): void {
    const stream = this.#stream;
    stream?.off('drain', this.#onDrain).off('close', this.#onDrain).off('error', this.#onError);
  }
}
