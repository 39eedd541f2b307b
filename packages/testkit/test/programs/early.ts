/** A program that took hold of what Node has when it was loaded, which a simulation cannot change. */
import dgram from 'node:dgram'
import timers from 'node:timers'

const open = dgram.createSocket
const wait = timers.setTimeout

export const bindReally = (): void => void open('udp4').close()
export const waitReally = (): void => void wait(() => undefined, 1).unref()
