/** The options and help text of `ehi-gateway doctor`. */
import type { Command } from 'commander';
import type { Finish } from './finish.ts';

export function addDoctor(_program: Command, _finish: Finish): void {}
