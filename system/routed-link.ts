// Links of network namespaces by rtnetlink(7), without a program for them: three runs of `ip` cost a pod more than its link.
// Invariants: the kernel does the work in a thread of the pool, so that the event loop does not wait for its lock; no socket stays open.
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Slots } from '../base/slots.ts';
import { insideNamespace, receiveCall } from './native-calls.ts';
import { attempt, later, must, NativeError } from './native-library.ts';
import {
  addAddress,
  addNeighbour,
  addPair,
  addRoute,
  deleteDevice,
  errorIn,
  LOOPBACK,
  type NetlinkRequest,
  setUp,
} from './netlink.ts';
import type { RoutedLink } from './system.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
/** An answer repeats its request, which here has at most a few hundred bytes. */
const ANSWER_BYTES = 4096;
/**
 * Calls at once in the pool's four threads, which file and name look-ups need too: removing a link takes the kernel some 30 ms, one after
 * the other whoever asks. What waits here is as many as there are pods.
 */
export const MAX_CALLS = 3;
const calls = new Slots(MAX_CALLS);
/** What the link is called in the namespace. */
const INNER = 'eth0';

/** Makes a link between this namespace and another (path of an nsfs file). Rejects with NativeError: EEXIST where the name is taken. */
export async function makeRoutedLink(namespacePath: string, link: RoutedLink): Promise<void> {
  const namespace = openSync(namespacePath, 'r');
  try {
    const { name, mac } = link;
    await onSocket(openSocket(), [addPair({ name, mac }, { name: INNER, namespace })]);
  } finally {
    closeSync(namespace);
  }
  const here = addRoute(indexOf(link.name), { to: link.address, source: link.source });
  // The socket last: it stays open where nothing closes it.
  const inner = insideNamespace('net', namespacePath, () => ({
    index: indexOf(INNER),
    socket: openSocket(),
  }));
  await Promise.all([
    onSocket(openSocket(), [here]),
    onSocket(inner.socket, [
      setUp(LOOPBACK),
      addAddress(inner.index, link.address),
      setUp(inner.index),
      addRoute(inner.index, { to: link.gateway }),
      addNeighbour(inner.index, link.gateway, link.mac),
      addRoute(inner.index, { gateway: link.gateway }),
    ]),
  ]);
}

/** Removes a link of this namespace; quiet when there is none. */
export async function deleteLink(name: string): Promise<void> {
  try {
    await onSocket(openSocket(), [deleteDevice(name)]);
  } catch (error) {
    if ((error as NativeError).errno !== constants.errno.ENODEV) throw error;
  }
}

/** A socket of the calling thread's network namespace. */
const openSocket = (): number => must('socket', AF_NETLINK, SOCK_RAW_CLOEXEC, 0);

function indexOf(name: string): number {
  const index = attempt('nameToIndex', name);
  if (index === 0) throw new NativeError(`link ${name}`, constants.errno.ENODEV);
  return index;
}

/** Sends the requests and closes the socket. Rejects with the first error; those after it have been tried as well. */
async function onSocket(socket: number, requests: readonly NetlinkRequest[]): Promise<void> {
  try {
    const bytes = Buffer.concat(requests.map((each) => each.bytes));
    const sent = await calls.run(() => later('send', socket, bytes, bytes.length, 0));
    if (sent !== bytes.length)
      throw new Error(`the kernel takes no requests: ${requests[0]?.what}`);
    // All are answered once the call has returned.
    const errors = requests.map(({ what }) => ({ what, errno: answered(socket) }));
    const failed = errors.find(({ errno }) => errno !== 0);
    if (failed) throw new NativeError(failed.what, failed.errno);
  } finally {
    closeSync(socket);
  }
}

function answered(socket: number): number {
  const buffer = Buffer.alloc(ANSWER_BYTES);
  const size = receiveCall(socket, buffer);
  return errorIn(buffer.subarray(0, size ?? 0)) ?? constants.errno.EPROTO;
}
