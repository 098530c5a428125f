// Picks free TCP ports and tells, in one line, when an asked one is taken.
import { createServer } from 'node:net';
import { UsageError } from './data-directory.ts';

/** A port free on `host` now: `wanted`, or any when that is 0. Throws UsageError when it is taken. */
export async function freePort(host: string, wanted: number, option: string): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, host, () => resolve());
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(
      `port ${wanted} on ${host} cannot be used (${code}); choose another with ${option}, or ${option} 0 for a free one`,
    );
  }
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address ? address.port : wanted;
}
