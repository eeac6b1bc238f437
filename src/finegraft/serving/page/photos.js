// The ways photos come to a page: chosen, dropped, pasted, taken with the camera.

const of = (id) => document.getElementById(id);

/** Has `take` called with the files that come, in an array, and `say` with what went wrong (words, true). */
export function listen(take, say) {
  const drop = of("drop");
  const given = (list) => {
    const files = [...list].filter((file) => file instanceof File);
    if (files.length) take(files);
    else say("That was no file.", true);
  };
  for (const id of ["files", "shot"]) {
    of(id).onchange = (event) => {
      given(event.target.files);
      event.target.value = ""; // so that the same photo can be chosen again
    };
  }
  for (const kind of ["dragenter", "dragover"]) {
    addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  addEventListener("dragleave", (event) => event.relatedTarget ?? drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    given(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) given(event.clipboardData.files);
  });
  const phone = matchMedia("(pointer: coarse)").matches; // has a camera of its own, which takes better photos
  of("shoot").hidden = of("shot").hidden = !phone;
  of("camera").hidden = phone || !navigator.mediaDevices?.getUserMedia;
  of("camera").onclick = async () => {
    try {
      of("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      of("live").showModal();
    } catch {
      say("There is no camera, or it may not be used.", true);
    }
  };
  of("snap").onclick = () => {
    const video = of("video"), canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => take([new File([blob], "camera.jpg", { type: "image/jpeg" })]), "image/jpeg", 0.92);
    of("live").close();
  };
  of("stop").onclick = () => of("live").close();
  of("live").onclose = () => of("video").srcObject?.getTracks().forEach((track) => track.stop());
}
