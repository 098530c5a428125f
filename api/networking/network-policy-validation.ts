// Rules of NetworkPolicies: ports, peers, address blocks.
// Pure; wordings are those API clients know.
import { BlockList } from 'node:net';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  IPBlock,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from '../generated/types.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { cidrBlock, ipFamily } from '../meta/ip.ts';
import { portName, portNumber } from '../meta/names.ts';
import { oneOf } from '../meta/numbers.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const TYPES = ['Egress', 'Ingress'];

/** Rules of `spec`. */
export function validateNetworkPolicy(spec: NetworkPolicySpec): FieldError[] {
  const { podSelector, ingress = [], egress = [], policyTypes = [] } = spec;
  const errors = validateLabelSelector(podSelector, 'spec.podSelector');
  ingress.forEach(({ ports, from }, i) => {
    errors.push(...validateRule({ ports, peers: from }, ['from', `spec.ingress[${i}]`]));
  });
  egress.forEach(({ ports, to }, i) => {
    errors.push(...validateRule({ ports, peers: to }, ['to', `spec.egress[${i}]`]));
  });
  if (policyTypes.length > TYPES.length) {
    const why = 'may not specify more than two policyTypes';
    return [...errors, invalidValue('spec.policyTypes', policyTypes, why)];
  }
  policyTypes.forEach((type, i) => {
    if (!TYPES.includes(type)) {
      errors.push(notSupported(`spec.policyTypes[${i}]`, type, TYPES));
    }
  });
  return errors;
}

interface Rule {
  readonly ports: readonly NetworkPolicyPort[] | undefined;
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
}

function validateRule(
  { ports = [], peers = [] }: Rule,
  [peerField, path]: readonly [string, string],
): FieldError[] {
  return [
    ...ports.flatMap((port, i) => validatePort(port, `${path}.ports[${i}]`)),
    ...peers.flatMap((peer, i) => validatePeer(peer, `${path}.${peerField}[${i}]`)),
  ];
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  return [
    ...oneOf(protocol, PROTOCOLS, `${path}.protocol`),
    ...(port === undefined ? [] : validatePortItself(port, `${path}.port`)),
    ...(endPort === undefined ? [] : validateEnd(endPort, port, `${path}.endPort`)),
  ];
}

function validatePortItself(port: number | string, path: string): FieldError[] {
  const why = typeof port === 'string' ? portName(port) : portNumber(port);
  return why === undefined ? [] : [invalidValue(path, port, why)];
}

function validateEnd(
  endPort: number,
  port: number | string | undefined,
  path: string,
): FieldError[] {
  if (port === undefined) {
    return [invalidValue(path, endPort, 'may not be specified when `port` is not specified')];
  }
  if (typeof port === 'string') {
    return [invalidValue(path, endPort, 'may not be specified when `port` is non-numeric')];
  }
  const errors: FieldError[] = [];
  if (endPort < port) {
    errors.push(invalidValue(path, endPort, 'must be greater than or equal to `port`'));
  }
  const why = portNumber(endPort);
  return why === undefined ? errors : [...errors, invalidValue(path, endPort, why)];
}

function validatePeer(peer: NetworkPolicyPeer, path: string): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const given = [podSelector, namespaceSelector, ipBlock].filter((one) => one !== undefined);
  const errors = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock ? validateBlock(ipBlock, `${path}.ipBlock`) : []),
  ];
  if (given.length === 0) return [...errors, required(path, 'must specify a peer')];
  if (given.length > 1 && ipBlock) {
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'));
  }
  return errors;
}

function validateBlock({ cidr, except = [] }: IPBlock, path: string): FieldError[] {
  const errors = mustObey(cidrBlock, cidr, `${path}.cidr`);
  const outer = errors.length === 0 ? blockOf(cidr) : undefined;
  except.forEach((one, i) => {
    const at = `${path}.except[${i}]`;
    const bad = obeys(cidrBlock, one, at);
    errors.push(...bad);
    if (bad.length === 0 && outer !== undefined && !isStrictlyWithin(blockOf(one), outer)) {
      errors.push(invalidValue(at, one, 'must be a strict subset of `cidr`'));
    }
  });
  return errors;
}

interface Block {
  readonly address: string;
  readonly bits: number;
}

function blockOf(text: string): Block {
  const [address = '', bits] = text.split('/');
  return { address, bits: Number(bits) };
}

function isStrictlyWithin(inner: Block, outer: Block): boolean {
  const family = ipFamily(outer.address);
  if (family === undefined || family !== ipFamily(inner.address)) return false;
  const type = family === 'IPv4' ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(outer.address, outer.bits, type);
  return inner.bits > outer.bits && list.check(inner.address, type);
}
