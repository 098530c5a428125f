// Addresses and address blocks: `ip('10.0.0.1')`, `cidr('10.0.0.0/8').containsIP(…)`.
// Invariant: IPv4 within IPv6, zones and leading zeros are refused, as upstream does; a block keeps the bits behind its
// prefix until it is masked.
import { canonicalAddress, ipFamily } from '../../meta/ip.ts';
import { CelError } from '../cel-error.ts';
import { traversal, walks } from '../costs.ts';
import { type CostModel, type Library, method, type Overload, overload } from '../overload.ts';
import { type CelValue, OpaqueValue } from '../values.ts';

/** An address: its bits as a number. */
class Address extends OpaqueValue {
  readonly typeName = 'net.IP';
  readonly bits: bigint;
  readonly width: 32 | 128;

  constructor(bits: bigint, width: 32 | 128) {
    super();
    this.bits = bits;
    this.width = width;
  }
  override get size(): number {
    return this.width / 8;
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof Address && other.width === this.width && other.bits === this.bits;
  }
}

/** A block of addresses. */
class Block extends OpaqueValue {
  readonly typeName = 'net.CIDR';
  readonly address: Address;
  readonly prefix: number;

  constructor(address: Address, prefix: number) {
    super();
    this.address = address;
    this.prefix = prefix;
  }
  override get size(): number {
    return Math.ceil(this.prefix / 8);
  }
  get masked(): Block {
    const { bits, width } = this.address;
    const rest = BigInt(width - this.prefix);
    return new Block(new Address((bits >> rest) << rest, width), this.prefix);
  }
  contains({ bits, width }: Address): boolean {
    const rest = BigInt(width - this.prefix);
    return width === this.address.width && bits >> rest === this.address.bits >> rest;
  }
  equals(other: OpaqueValue): boolean {
    return (
      other instanceof Block && other.prefix === this.prefix && other.address.equals(this.address)
    );
  }
}

const MAPPED = 0xffffn;

function tryAddress(text: string): Address | undefined {
  const family = ipFamily(text);
  if (family === undefined) return undefined;
  if (family === 'IPv4') return new Address(BigInt(`0x${hexOf(text.split('.'), 10)}`), 32);
  const address = new Address(sixteenBytes(text), 128);
  return address.bits >> 32n === MAPPED ? undefined : address;
}

function hexOf(bytes: readonly string[], base: number): string {
  return bytes.map((byte) => Number.parseInt(byte, base).toString(16).padStart(2, '0')).join('');
}

function sixteenBytes(text: string): bigint {
  const [head = '', tail] = (canonicalAddress(text) ?? text).split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0'));
  return BigInt(`0x${groups.join('')}`);
}

function tryBlock(text: string): Block | undefined {
  const [, address = '', prefix = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const of = tryAddress(address);
  if (of === undefined || Number(prefix) > of.width) return undefined;
  return new Block(of, Number(prefix));
}

function address(text: CelValue | undefined): Address {
  const read = tryAddress(text as string);
  if (read) return read;
  const shown = JSON.stringify((text as string).slice(0, 100));
  throw new CelError(`IP Address ${shown} parse error during conversion from string: no address`);
}

function block(text: CelValue | undefined): Block {
  const read = tryBlock(text as string);
  if (read) return read;
  const shown = JSON.stringify((text as string).slice(0, 100));
  throw new CelError(`network address parse error during conversion from string: ${shown}`);
}

/** The one way of writing an address. */
function addressText({ bits, width }: Address): string {
  const hex = bits.toString(16).padStart(width / 4, '0');
  if (width === 32)
    return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.');
  return canonicalAddress((hex.match(/.{4}/g) ?? []).join(':')) ?? '';
}

const blockText = (of: Block): string => `${addressText(of.address)}/${of.prefix}`;

interface Kinds {
  readonly v4: (bits: bigint) => boolean;
  readonly v6: (bits: bigint) => boolean;
}

const starts = (block_: string): ((bits: bigint) => boolean) => {
  const of = block(block_);
  return (bits) => of.contains(new Address(bits, of.address.width));
};
const isZero = (bits: bigint): boolean => bits === 0n;
const LOOPBACK: Kinds = { v4: starts('127.0.0.0/8'), v6: starts('::1/128') };
const UNSPECIFIED: Kinds = { v4: isZero, v6: isZero };
const LOCAL_MULTICAST: Kinds = { v4: starts('224.0.0.0/24'), v6: starts('ff02::/16') };
const LOCAL_UNICAST: Kinds = { v4: starts('169.254.0.0/16'), v6: starts('fe80::/10') };
const MULTICAST: Kinds = { v4: starts('224.0.0.0/4'), v6: starts('ff00::/8') };
const BROADCAST: Kinds = { v4: (bits) => bits === 0xffffffffn, v6: () => false };

function is(kinds: Kinds): Overload['run'] {
  return ([value]) => isOf(value as Address, kinds);
}

function isOf({ bits, width }: Address, { v4, v6 }: Kinds): boolean {
  return width === 32 ? v4(bits) : v6(bits);
}

const NOT_GLOBAL = [LOOPBACK, UNSPECIFIED, MULTICAST, LOCAL_UNICAST, BROADCAST];

function isGlobalUnicast([value]: readonly CelValue[]): boolean {
  return !NOT_GLOBAL.some((kinds) => isOf(value as Address, kinds));
}

const IPS: Library = [
  overload('ip(string): net.IP', ([text]) => address(text), walks(0)),
  overload('isIP(string): bool', ([text]) => tryAddress(text as string) !== undefined, walks(0)),
  overload(
    'ip.isCanonical(string): bool',
    ([text]) => addressText(address(text)) === text,
    walks(0, 2),
  ),
  overload('string(net.IP): string', ([value]) => addressText(value as Address)),
  method('family(net.IP): int', ([value]) => ((value as Address).width === 32 ? 4n : 6n)),
  method('isLoopback(net.IP): bool', is(LOOPBACK)),
  method('isUnspecified(net.IP): bool', is(UNSPECIFIED)),
  method('isLinkLocalMulticast(net.IP): bool', is(LOCAL_MULTICAST)),
  method('isLinkLocalUnicast(net.IP): bool', is(LOCAL_UNICAST)),
  method('isGlobalUnicast(net.IP): bool', isGlobalUnicast),
];

/** The bytes of an address are walked over, for blocks once more; a text is read first. */
const contains = (extra: 0 | 1, reads: boolean): CostModel => ({
  cost: ([of = 0, other = 0]) =>
    traversal(2 * of) + (extra ? traversal(of) + 1 : 0) + (reads ? traversal(other) : 0),
  estimate: ([, other]) => {
    const read = reads ? traversal(other?.size.max ?? 0) : 0;
    return { min: 1, max: traversal(32) + (extra ? traversal(16) + 1 : 0) + read };
  },
});

function containsBlock(of: CelValue | undefined, other: Block): boolean {
  const whole = of as Block;
  return whole.prefix <= other.prefix && whole.contains(other.address);
}

const CIDRS: Library = [
  overload('cidr(string): net.CIDR', ([text]) => block(text), walks(0)),
  overload('isCIDR(string): bool', ([text]) => tryBlock(text as string) !== undefined, walks(0)),
  overload('string(net.CIDR): string', ([value]) => blockText(value as Block)),
  method('ip(net.CIDR): net.IP', ([value]) => (value as Block).address),
  method('prefixLength(net.CIDR): int', ([value]) => BigInt((value as Block).prefix)),
  method('masked(net.CIDR): net.CIDR', ([value]) => (value as Block).masked),
  method(
    'containsIP(net.CIDR, net.IP): bool',
    ([of, other]) => (of as Block).contains(other as Address),
    contains(0, false),
  ),
  method(
    'containsIP(net.CIDR, string): bool',
    ([of, other]) => (of as Block).contains(address(other)),
    contains(0, true),
  ),
  method(
    'containsCIDR(net.CIDR, net.CIDR): bool',
    ([of, other]) => containsBlock(of, other as Block),
    contains(1, false),
  ),
  method(
    'containsCIDR(net.CIDR, string): bool',
    ([of, other]) => containsBlock(of, block(other)),
    contains(1, true),
  ),
];

export const ADDRESSES: Library = [...IPS, ...CIDRS];
