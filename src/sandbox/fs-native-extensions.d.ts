/** The part that this project uses. The package has no types of its own. */
declare module 'fs-native-extensions' {
  /**
   * Locks an open file for as long as it is open. The system ends the lock when the process dies.
   * @param fd open for writing
   * @returns false if the file is locked through another descriptor, here or in another process
   */
  export function tryLock(fd: number): boolean;
}
