// The commands that talk to a cluster as any client does, and those for who writes programs that do.
import type { Command } from 'commander';
import { registerApply } from './apply.ts';
import { registerCrd } from './crd.ts';
import { registerDelete } from './delete.ts';
import { registerDescribe } from './describe.ts';
import { registerGet } from './get.ts';
import { registerLogs } from './logs.ts';
import { registerNew } from './new.ts';
import { registerSimulate } from './simulate.ts';
import { registerTop } from './top.ts';

/** Adds them all. */
export function registerClientCommands(program: Command): void {
  registerApply(program);
  registerGet(program);
  registerDescribe(program);
  registerLogs(program);
  registerDelete(program);
  registerTop(program);
  registerSimulate(program);
  registerCrd(program);
  registerNew(program);
}
