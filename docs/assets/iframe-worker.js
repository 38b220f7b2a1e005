// Pages read from a disk (file:) may not start workers, and the search is one: run it in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      this.frame.title = "search"
      window.addEventListener("message", event => {
        if (event.source !== this.frame.contentWindow) return
        const message = new MessageEvent("message", { data: event.data })
        if (this.onmessage) this.onmessage(message)
        this.dispatchEvent(message)
      })
      this.ready = new Promise(done => {
        this.frame.addEventListener("load", done, { once: true })
      })
      const worker = new URL(url, document.baseURI).href
      this.frame.srcdoc = `<!doctype html><script>
        const reply = parent.postMessage.bind(parent)
        window.postMessage = data => reply(data, "*")
        window.importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise((done, fail) => {
          const script = document.createElement("script")
          script.src = new URL(url, ${JSON.stringify(worker)}).href
          script.onload = done
          script.onerror = fail
          document.head.append(script)
        })), Promise.resolve())
      <\/script><script src=${JSON.stringify(worker)}><\/script>`
      document.body.append(this.frame)
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })))
    }
    terminate() {
      this.frame.remove()
    }
  }
}
