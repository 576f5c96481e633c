import { Problem } from '../errors.ts';

/** @returns the problem of a link that is incomplete, altered or guessed: all look the same, and count as a guess */
export const wrongLink = (): Problem => new Problem('invalid_token', 'This link does not work.');
