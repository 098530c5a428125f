// Addresses that this server may be led to by what users write.
// Invariant: never one that means something else on each host, or no single host.
import { BlockList } from 'node:net';
import { ipFamily } from '../../api/meta/ip.ts';
import { badRequest } from '../../api/status.ts';

const REFUSED = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
] as const)
  REFUSED.addSubnet(net, bits, 'ipv4');
REFUSED.addAddress('255.255.255.255', 'ipv4');
for (const [net, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  REFUSED.addSubnet(net, bits, 'ipv6');

/** The address, if it may be reached. Throws BadRequest. */
export function reachable(address: string): string {
  const family = ipFamily(address);
  if (family && !REFUSED.check(address, family === 'IPv4' ? 'ipv4' : 'ipv6')) return address;
  throw badRequest(
    address === '' ? 'address not allowed: there is none yet' : 'address not allowed',
  );
}
