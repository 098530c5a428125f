// The process that goes to places whose file system may hang, for an agent that must not: one order, one answer.
// Started by place-process.ts. Invariant: it ends with whoever started it, as soon as the kernel lets it.
import { fstatSync, writeSync } from 'node:fs';
import { giveToGroup } from './group-ownership.ts';
import { openInside } from './inside.ts';
import type { PlaceAnswer, PlaceOrder } from './place-orders.ts';
import { ConfigError } from './volume-error.ts';

function answer(order: PlaceOrder): PlaceAnswer {
  try {
    if (order.kind === 'own') {
      giveToGroup(order.root, order.ownership);
      return { kind: 'owned' };
    }
    const descriptor = openInside(order.root, order.inside);
    return { kind: 'held', descriptor, isDirectory: fstatSync(descriptor).isDirectory() };
  } catch (error) {
    const { message } = error as Error;
    return { kind: error instanceof ConfigError ? 'refused' : 'failed', message };
  }
}

const answered = answer(JSON.parse(process.argv[2] ?? '') as PlaceOrder);
writeSync(1, `${JSON.stringify(answered)}\n`);
if (answered.kind === 'held') process.stdin.resume();
