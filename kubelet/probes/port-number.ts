// Ports of probes and hooks, which name them or number them. Pure.
import type { Container } from '../../api/generated/types.ts';

/** A port by number or by the name that the container gives it. Throws where there is none of that name. */
export function portNumber(port: number | string | undefined, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((each) => each.name === port)?.containerPort;
  const number = named ?? Number(port);
  if (!Number.isInteger(number)) throw new Error(`couldn't find port: "${port}"`);
  return number;
}
