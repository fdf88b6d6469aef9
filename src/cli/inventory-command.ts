/** The options and help text of `ehi-gateway inventory`. */
import type { Command } from 'commander';
import type { Finish } from './finish.ts';

export function addInventory(_program: Command, _finish: Finish): void {}
