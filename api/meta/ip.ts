// Addresses and address blocks, as texts: what is valid and which family it is.
// Pure checks of syntax; nothing here resolves or connects. Wordings are those API clients know.
import { isIP, isIPv4, isIPv6 } from 'node:net';

/** Family of an address. */
export type IpFamily = 'IPv4' | 'IPv6';

/** Its family, or undefined when it is no address. Zones (`%eth0`) make none. */
export function ipFamily(text: string): IpFamily | undefined {
  if (isIPv4(text)) return 'IPv4';
  return isIPv6(text) && !text.includes('%') ? 'IPv6' : undefined;
}

/** Why the text is no address, or undefined. */
export function ipAddress(text: string): string | undefined {
  return ipFamily(text) === undefined
    ? 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
    : undefined;
}

/** The one way of writing this address, or undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const family = ipFamily(text);
  if (family !== 'IPv6') return family === undefined ? undefined : text;
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** Why the text is no block such as `10.0.0.0/8`, or undefined. */
export function cidrBlock(text: string): string | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const [address = '', bits = ''] = match?.slice(1) ?? [];
  const family = isIP(address);
  const fits = family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
  return fits ? undefined : 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
}
