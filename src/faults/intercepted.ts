/** How a call goes on: as it was meant, or with other arguments. */
export type Go = (...args: unknown[]) => unknown;

/**
 * An object whose methods are called through `around`. Everything else of it is as it was, and the methods themselves
 * see the object and not this stand-in: bindings of the platform accept no other `this`.
 */
export function intercepted<Target extends object>(
  target: Target,
  around: (name: string, go: Go, args: readonly unknown[]) => unknown,
): Target {
  return new Proxy(target, {
    get(of, name) {
      const member: unknown = Reflect.get(of, name, of);
      if (typeof member !== "function" || typeof name !== "string") return member;
      const go: Go = (...args) => Reflect.apply(member, of, args);
      return (...args: unknown[]) => around(name, go, args);
    },
  });
}
