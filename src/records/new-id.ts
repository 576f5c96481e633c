import { v7 } from 'uuid';
import { takeRandom } from '../random.ts';

const rng = () => takeRandom(16);

/** @returns a new UUID. Version 7 begins with the time, so what is written together is found together in an index. */
export const newId = (): string => v7({ rng });
