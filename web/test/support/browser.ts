// What the page's modules expect of a browser when they are loaded: a window
// that hears events, and a navigator that knows whether there is a network.
// Import it before them.

const events = new EventTarget();
const network = { onLine: true };

Object.defineProperty(globalThis, "navigator", { value: network, configurable: true });
Object.assign(globalThis, {
  addEventListener: events.addEventListener.bind(events),
  removeEventListener: events.removeEventListener.bind(events),
  dispatchEvent: events.dispatchEvent.bind(events),
});

/** Unplugs the network, or plugs it in again. */
export function plugIn(onLine: boolean): void {
  network.onLine = onLine;
  events.dispatchEvent(new Event(onLine ? "online" : "offline"));
}
