// Why a connection failed, as Go programs word it, which people search for.

/** What to say of a failed connection. */
export function dialFailure(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'ECONNREFUSED') return `dial tcp ${host}:${port}: connect: connection refused`;
  if (error.code === 'EHOSTUNREACH') return `dial tcp ${host}:${port}: connect: no route to host`;
  if (error.code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
  if (error.code === 'ECONNRESET') return 'read: connection reset by peer';
  return error.message;
}
