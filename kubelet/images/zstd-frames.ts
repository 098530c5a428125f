// Decompresses a zstd stream of any number of frames, with other content between them (RFC 8878, section 3.1): the runtime's own
// decoder stops after the first, and layers of the zstd:chunked kind have hundreds.
// Invariant: each frame goes to a decoder of its own, and no byte of a frame is held back longer than the next chunk.
import { once } from 'node:events';
import { Transform, type TransformCallback } from 'node:stream';
import { createZstdDecompress, type ZstdOptions } from 'node:zlib';
import { FrameBorders } from './zstd-borders.ts';

/** A stream from compressed bytes to plain ones. */
export class ZstdFrames extends Transform {
  readonly #options: ZstdOptions;
  readonly #borders = new FrameBorders();
  #decoder: ReturnType<typeof createZstdDecompress> | undefined;
  /** Lets the decoder go on, while whoever reads has had enough. */
  #resume: (() => void) | undefined;

  constructor(options: ZstdOptions) {
    super();
    this.#options = options;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    void this.#give(chunk, done);
  }

  override _flush(done: TransformCallback): void {
    if (this.#borders.atBorder) done();
    else done(new Error('unexpected end of file'));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#decoder?.destroy();
    done(error);
  }

  async #give(chunk: Buffer, done: TransformCallback): Promise<void> {
    try {
      await this.#take(chunk);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }

  async #take(chunk: Buffer): Promise<void> {
    let at = 0;
    while (at < chunk.length) {
      const part = this.#borders.next(chunk, at);
      at = part.end;
      await this.#decode(part.bytes);
      if (part.frameOver) await this.#finish();
    }
  }

  async #decode(bytes: Buffer): Promise<void> {
    this.#decoder ??= this.#newDecoder();
    if (!this.#decoder.write(bytes)) await once(this.#decoder, 'drain');
  }

  async #finish(): Promise<void> {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    if (!decoder) return;
    const ended = once(decoder, 'end');
    decoder.end();
    await ended;
  }

  #newDecoder(): ReturnType<typeof createZstdDecompress> {
    const decoder = createZstdDecompress(this.#options);
    decoder.on('data', (plain: Buffer) => {
      if (this.push(plain)) return;
      decoder.pause();
      this.#resume = () => decoder.resume();
    });
    // Whoever waits for the decoder hears of a failure; this keeps one that nobody waits for from ending the process.
    decoder.on('error', (error) => this.destroy(error));
    return decoder;
  }

  override _read(size: number): void {
    this.#resume?.();
    this.#resume = undefined;
    super._read(size);
  }
}
