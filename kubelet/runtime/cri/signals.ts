// Stop signals: the numbers that CRI gives them, which are its own, and the kernel's. Pure.
import { constants } from 'node:os';

const NAMES =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP ' +
  'TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN ' +
  Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`).join(' ') +
  ` ${Array.from({ length: 14 }, (_, i) => `RTMAX-${14 - i}`).join(' ')} RTMAX`;

const NUMBERS = new Map(NAMES.split(' ').map((name, index) => [`SIG${name}`, index + 1]));

/** CRI's number of a signal such as `SIGTERM`; 0, the image's or the runtime's own choice, for one that CRI does not know. */
export function signalNumber(name: string | undefined): number {
  return NUMBERS.get(name ?? '') ?? 0;
}

/** First and last realtime signal that programs may use, with glibc. */
const REALTIME = { first: 34, last: 64 };

/** The kernel's number of a signal such as `SIGUSR1` or `SIGRTMIN+3`; undefined for one that is none. */
export function kernelSignal(name: string): number | undefined {
  const [, end, offset = '0'] = /^SIG(RTMIN|RTMAX)(?:[+-](\d+))?$/.exec(name) ?? [];
  if (end === 'RTMIN') return REALTIME.first + Number(offset);
  if (end === 'RTMAX') return REALTIME.last - Number(offset);
  return (constants.signals as Readonly<Record<string, number>>)[name];
}
