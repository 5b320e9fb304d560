// A browser starts no worker from file://. There, and only there, the search runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #ready;

    constructor(url) {
      super();
      this.#frame.hidden = true;
      this.#frame.title = "search";
      this.#ready = new Promise((resolve) => {
        const attach = () => {
          document.body.append(this.#frame);
          const inside = this.#frame.contentWindow;
          inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
          inside.importScripts = (...sources) =>
            sources.reduce((before, source) => before.then(() => this.#load(source)), Promise.resolve());
          this.#load(url).then(() => resolve(inside));
        };
        if (document.body) attach();
        else addEventListener("DOMContentLoaded", attach, { once: true });
      });
    }

    #load(source) {
      return new Promise((resolve, reject) => {
        const script = this.#frame.contentDocument.createElement("script");
        script.src = new URL(source, location);
        script.onload = resolve;
        script.onerror = reject;
        this.#frame.contentDocument.body.append(script);
      });
    }

    postMessage(data) {
      this.#ready.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      this.#frame.remove();
    }
  };
}
